# Everything here sets itself up from the package registries, and is quick the second time.

PYTHON ?= python3# which interpreter .venv is made with
JOBS ?= 4# processes that run the tests; they wait for sockets half of the time
INNER ?=# options of pytest for `make inner`: --hypothesis-seed=1
BENCHMARK ?=# options of the benchmark: --quick

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
unexport PYTHONPATH PYTHONHOME PYTHONWARNINGS PYTEST_ADDOPTS VIRTUAL_ENV
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1# it would say at each run that a newer one exists

BIN := .venv/bin
SUPPLY := .venvs/supply/bin
PYTEST := $(BIN)/python -m pytest -q
INNER_TESTS := tests/config tests/contract/test_errors.py tests/entra tests/ground tests/kinds tests/problems tests/references \
  tests/tokens tests/cli/test_any_input.py tests/test_engine.py tests/test_load.py tests/test_schema.py

.PHONY: help demo quick inner clone test lint types unit lowest others integration docs audit build wheel sbom lock upgrade benchmark mutants \
  schema format clean library dev supply

help: ## say what there is
	@sed -nE 's/^([a-z]+):.* ## (.*)/  make \1\t\2/p' Makefile | expand -t 20

demo: library ## from a file to a token, step by step, against a fake Entra
	@$(BIN)/credconf demo

quick: lint types inner ## the inner loop: lint, types and the quick tests

inner: dev ## the tests of the configuration, the tokens and the wire, which find most mistakes in the least time
	@$(PYTEST) -n $(JOBS) $(INNER_TESTS) $(INNER)

clone: ## the inner loop's tests in a clone named credconf, in a path with a space, with random seeds
	@tools/test-clone $(PYTHON)

test: lint types unit lowest others ## everything that needs nothing but Python: lint, types, and the next three

lint: dev ## ruff
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: dev ## mypy and pyright, both strict
	$(BIN)/mypy
	$(BIN)/pyright

unit: dev ## all tests on the interpreter of .venv, with coverage
	$(PYTEST) -n $(JOBS) --cov --cov-report=term

lowest: ## all tests on the oldest Python, with the lowest versions of our dependencies
	@tools/test-lowest -n $(JOBS)

others: dev ## a part of the tests on the other Pythons, as far as they are present; with ALL=yes all of them
	@tools/test-others $(BIN)/python -n $(JOBS)

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

benchmark: ## the table of costs beside azure-identity's, with JSON and a plot in benchmarks/results
	@tools/install .venv $(PYTHON) -e dev bench
	@$(BIN)/python -m benchmarks $(BENCHMARK)

mutants: dev ## take each protection of a secret away, and see that a test fails
	@tools/mutants $(BIN)/python

schema: library ## write schema/credconf.schema.json from the models
	@$(BIN)/python -m credconf.schema

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
