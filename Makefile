# Everything here sets itself up from the package registries, and is quick the second time.

PYTHON ?= python3# which interpreter .venv is made with
JOBS ?= 4# processes that run the tests; they wait for sockets half of the time
INNER ?=# options of pytest for `make inner`: --hypothesis-seed=1
UNIT ?=# options of pytest for `make unit`, likewise
BENCHMARK ?=# options of the benchmark: --quick

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
ifndef SIDE_BY_SIDE # two targets that install into one virtualenv would meet
.NOTPARALLEL:
endif
unexport PYTHONPATH PYTHONHOME PYTHONWARNINGS PYTEST_ADDOPTS VIRTUAL_ENV
unexport PYTHONDONTWRITEBYTECODE # with it, each of the many processes that tests start compiles the package anew
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1# it would say at each run that a newer one exists

BIN := .venv/bin
SUPPLY := .venvs/supply/bin
PYTEST := $(BIN)/python -m pytest -q
INNER_TESTS := tests/config tests/contract tests/entra tests/ground tests/kinds tests/problems tests/references tests/schema tests/settings \
  tests/stores tests/tokens tests/test_*.py tests/cli/test_any_input.py tests/cli/test_check.py tests/promises/test_the_door_costs_nothing.py

.PHONY: help demo quick inner clone test lint types unit lowest others newest integration docs audit build wheel sbom lock upgrade benchmark mutants \
  schema format clean library dev supply release-check
.PHONY: checks mypy pyright full

help: ## say what there is
	@sed -nE 's/^([a-z-]+):.* ## (.*)/  make \1\t\2/p' Makefile | expand -t 22

demo: library ## from a file to a token, step by step, against a fake Entra
	@$(BIN)/credconf demo

# pyright takes as much CPU as half of these tests and keeps no cache; `make test` runs it.
quick: dev ## the inner loop: lint, mypy and the quick tests, side by side
	@$(MAKE) --no-print-directory -j --output-sync=target SIDE_BY_SIDE=yes lint mypy inner

inner: dev ## the tests that touch most of the code in the least time
	@$(PYTEST) -n $(JOBS) $(INNER_TESTS) $(INNER)

checks: dev ## lint and types, side by side
	@$(MAKE) --no-print-directory -j --output-sync=target SIDE_BY_SIDE=yes lint mypy pyright

test: checks unit lowest others ## everything that needs nothing but Python: lint, types, and the next three

full: dev ## each matrix of the tests whole, with coverage, also on the oldest Python; for a night
	$(PYTEST) -n $(JOBS) --whole --cov --cov-report=term
	@tools/test-lowest -n $(JOBS) --whole

lint: dev ## ruff, the layers, spelling
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/codespell

types: mypy pyright ## mypy and pyright, both strict

mypy: dev
	$(BIN)/mypy

pyright: dev
	$(BIN)/pyright

unit: dev ## all tests on the interpreter of .venv, with coverage
	$(PYTEST) -n $(JOBS) --cov --cov-report=term $(UNIT)

clone: ## the same in a clone named credconf, in a path with a space, with random seeds
	@tools/test-clone $(PYTHON)

lowest: ## the tests of `inner` on the oldest Python, with the lowest versions of our dependencies
	@tools/test-lowest -n $(JOBS) $(INNER_TESTS)

others: dev ## the tests of `inner` on the other Pythons, as far as they are present; with INNER_TESTS= all tests
	@tools/test-others $(BIN)/python -n $(JOBS) $(INNER_TESTS)

newest: dev ## all tests on the newest Python, from Debian's sid in a chroot (as root on Debian; before a release)
	@tools/test-newest $(BIN)/python -n $(JOBS)

integration: ## the tests against what is not ours: Azurite, OAuth servers, language server, pre-commit, libsecret, Redis
	@tools/install .venv $(PYTHON) -e dev integration
	@tools/install-node-packages
	@tools/install-debian-packages
	PATH="$(CURDIR)/.tools/bin:$$PATH" $(PYTEST) -rs tests/integration

docs: ## build the documentation into build/docs; a broken link or anchor is an error
	@tools/install .venv $(PYTHON) -e dev docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "build/docs/index.html"

audit: supply ## bandit, a search for secrets, known vulnerabilities of what is locked
	$(SUPPLY)/bandit -q -c pyproject.toml -r credconf benchmarks examples tools
	$(SUPPLY)/python tools/find_secrets.py
	$(SUPPLY)/python tools/audit_packages.py $(SUPPLY)/pip-audit tools/locked/library.txt
	$(SUPPLY)/python tools/audit_packages.py $(SUPPLY)/pip-audit tools/locked/dev.txt

build: supply ## dist/: the sdist and from it the wheel, both checked
	@tools/build $(SUPPLY)

wheel: build ## the wheel, installed and used away from the tree
	@tools/test-wheel $(PYTHON) dist/*.whl

sbom: build ## dist/credconf.cdx.json, the wheel's bill of materials (CycloneDX)
	@tools/sbom $(SUPPLY)

lock: supply ## write tools/locked/*.txt anew after a change of pyproject.toml; what is pinned stays
	@tools/lock $(SUPPLY)/uv

upgrade: supply ## the same, with the newest versions
	@tools/lock $(SUPPLY)/uv --upgrade

release-check: ## all that a release needs but the upload: texts, tags, every test, the newest Python, dist/
	@$(PYTHON) tools/check_release.py
	.ci/run
	@$(MAKE) --no-print-directory newest

benchmark: ## the table of costs beside azure-identity's, with JSON and a plot in benchmarks/results
	@tools/install .venv $(PYTHON) -e dev bench
	@$(BIN)/python -m benchmarks $(BENCHMARK)

mutants: dev ## take each protection of a secret away, and see that a test fails
	@tools/mutants $(BIN)/python

schema: library ## write schema/credconf.schema.json from the models
	@$(BIN)/python -m tools.schema

format: dev ## let ruff rewrite what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove all that was installed or built
	rm -rf .venv .venvs .tools build dist .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis

library:
	@tools/install .venv $(PYTHON) -e library

dev:
	@tools/install .venv $(PYTHON) -e dev

supply:
	@tools/install .venvs/supply $(PYTHON) build supply
