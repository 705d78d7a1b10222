# Each target installs what it needs from the package registries. Later runs reuse it.

PYTHON ?= python3# the interpreter of .venv
JOBS ?= 4# test processes; more than cores, because they spend half of the time waiting for sockets
INNER ?=# pytest's options for `make inner`, such as --hypothesis-seed=1
UNIT ?=# pytest's options for `make unit`
BENCHMARK ?=# the benchmark's options, such as --quick

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
ifndef SIDE_BY_SIDE # two targets must not install into one virtualenv at the same time
.NOTPARALLEL:
endif
unexport PYTHONPATH PYTHONHOME PYTHONWARNINGS PYTEST_ADDOPTS VIRTUAL_ENV
unexport PYTHONDONTWRITEBYTECODE # with it, each process that a test starts compiles the package again
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1# it would report newer versions in each run

BIN := .venv/bin
SUPPLY := .venvs/supply/bin
PYTEST := $(BIN)/python -m pytest -q --dist worksteal
INNER_TESTS := tests/config tests/contract tests/entra tests/ground tests/kinds tests/problems tests/references tests/schema tests/settings \
  tests/stores tests/tokens tests/test_*.py tests/cli/test_any_input.py tests/cli/test_check.py tests/promises/test_the_door_costs_nothing.py

.PHONY: help demo quick inner clone test lint types unit lowest others newest integration docs audit build wheel sbom lock upgrade benchmark mutants \
  schema reference format clean library dev supply release-check
.PHONY: checks mypy pyright full

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.* ## (.*)/  make \1\t\2/p' Makefile | expand -t 22

demo: library ## get a token from a configuration file, step by step, against a fake Entra
	@$(BIN)/credconf demo

# pyright takes as much CPU as half of these tests, and has no cache. `make test` runs it.
quick: dev ## the inner loop: run lint, mypy and the quick tests in parallel
	@$(MAKE) --no-print-directory -j --output-sync=target SIDE_BY_SIDE=yes lint mypy inner

inner: dev ## run the quick tests, which cover most of the code in the least time; the toys start many processes
	@$(PYTEST) -n $(JOBS) $(INNER_TESTS) --deselect tests/test_toys.py $(INNER)

checks: dev ## run lint and types in parallel
	@$(MAKE) --no-print-directory -j --output-sync=target SIDE_BY_SIDE=yes lint mypy pyright

test: checks unit lowest others ## run everything that needs only Python: lint, types, unit, lowest and others

full: dev ## run all cases of all test matrices, also on the oldest Python; for nightly runs
	$(PYTEST) -n $(JOBS) --whole --cov --cov-report=term
	@tools/test-lowest -n $(JOBS) --whole

lint: dev ## check with ruff, import-linter and codespell
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/codespell -D - -D tools/words.txt

types: mypy pyright ## check with mypy and pyright, both strict

mypy: dev
	$(BIN)/mypy

pyright: dev
	$(BIN)/pyright

unit: dev ## run all tests on the interpreter of .venv, with coverage
	$(PYTEST) -n $(JOBS) --cov --cov-report=term $(UNIT)

clone: ## run `make unit` in a clone named credconf, in a path with a space, with random seeds
	@tools/test-clone $(PYTHON)

lowest: ## run the quick tests on the oldest Python, with the lowest versions of the dependencies
	@tools/test-lowest -n $(JOBS) $(INNER_TESTS)

others: dev ## run the quick tests on the other installed Pythons; INNER_TESTS= runs all tests
	@tools/test-others $(BIN)/python -n $(JOBS) $(INNER_TESTS)

newest: dev ## run all tests on the newest Python, from Debian's sid in a chroot; needs root on Debian
	@tools/test-newest $(BIN)/python -n $(JOBS)

integration: ## run the tests with other software: Azurite, OAuth servers, language server, pre-commit, libsecret, Redis
	@tools/install .venv $(PYTHON) -e dev docs integration
	@tools/install-node-packages
	@tools/install-debian-packages
	PATH="$(CURDIR)/.tools/bin:$$PATH" $(PYTEST) -n 3 --dist loadfile -rs tests/integration

docs: ## build the documentation in build/docs; a broken link or anchor is an error
	@tools/install .venv $(PYTHON) -e dev docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "build/docs/index.html"

audit: supply ## run bandit, search for secrets, and check the locked packages for known vulnerabilities
	$(SUPPLY)/bandit -q -c pyproject.toml -r credconf benchmarks examples tools
	$(SUPPLY)/python tools/find_secrets.py
	$(SUPPLY)/python tools/audit_packages.py $(SUPPLY)/pip-audit tools/locked/library.txt
	$(SUPPLY)/python tools/audit_packages.py $(SUPPLY)/pip-audit tools/locked/dev.txt

build: supply ## build and check the sdist, and from it the wheel, in dist/
	@tools/build $(SUPPLY)

wheel: build ## test the wheel outside of the source tree
	@tools/test-wheel $(PYTHON) dist/*.whl

sbom: build ## write dist/credconf.cdx.json, the wheel's bill of materials (CycloneDX)
	@tools/sbom $(SUPPLY)

lock: supply ## update tools/locked/*.txt after a change of pyproject.toml; pinned versions stay
	@tools/lock $(SUPPLY)/uv

upgrade: supply ## update tools/locked/*.txt to the newest versions
	@tools/lock $(SUPPLY)/uv --upgrade

release-check: ## check everything for a release except the upload: texts, tags, all tests, the newest Python, dist/
	@$(PYTHON) tools/check_release.py
	.ci/run
	@$(MAKE) --no-print-directory newest

benchmark: ## compare the costs with azure-identity's; writes a table, JSON and a plot to benchmarks/results
	@tools/install .venv $(PYTHON) -e dev bench
	@$(BIN)/python -m benchmarks $(BENCHMARK)

mutants: dev ## remove each protection of a secret in turn, and check that a test fails
	@tools/mutants $(BIN)/python

schema: library ## write schema/credconf.schema.json from the models
	@$(BIN)/python -m tools.schema

reference: library ## write the pages of the settings, problems, AADSTS codes and commands in docs/reference from the code
	@$(BIN)/python -m tools.reference

format: dev ## fix and format with ruff
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove everything that was installed or built
	rm -rf .venv .venvs .tools build dist .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis

library:
	@tools/install .venv $(PYTHON) -e library

dev:
	@tools/install .venv $(PYTHON) -e dev

supply:
	@tools/install .venvs/supply $(PYTHON) build supply
