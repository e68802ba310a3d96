# Every target sets up what it needs; `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test test-hosts test-thorough tools conformance mutation lint layers bench clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) --editable .
	$(BIN)/python -m compileall -q krm_fn
	@touch $@

$(VENV)/ready: $(VENV)/installed
	$(PIP_INSTALL) --editable '.[dev]'
	@touch $@

demo: $(VENV)/installed ## render fixtures/web-application
	$(BIN)/rookery render fixtures/web-application

test: $(VENV)/ready lint ## style, types, layers and every test that needs Python alone
	$(BIN)/python -m pytest --quiet --numprocesses auto

test-hosts: $(VENV)/ready ## the tests against real host programs (see tools)
	$(BIN)/python -m pytest --quiet -m hosts

test-thorough: $(VENV)/ready ## the tests that take long: hostile expressions, function by function
	$(BIN)/python -m pytest --quiet --numprocesses auto -m thorough

tools: ## build the host programs of the tests from Go modules, once; prints their folder
	@tools/build

conformance: $(VENV)/ready ## the corpora: CORPORA=DIR, by default the ones in the repository
	$(BIN)/python -m tests.conformance $(or $(CORPORA),tests/conformance/corpora)

mutation: $(VENV)/ready ## broken RGDs: Rookery's verdicts beside kro's
	$(BIN)/python -m tests.mutation

lint: $(VENV)/ready layers ## ruff and mypy
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy

layers: $(VENV)/ready ## the rooms know only the rooms below them
	$(BIN)/lint-imports --verbose > /dev/null || $(BIN)/lint-imports

bench: $(VENV)/ready ## time whole runs beside python -c pass and helm
	$(BIN)/python -m tests.bench

clean: ## remove what the targets made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
