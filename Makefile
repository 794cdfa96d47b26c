.DEFAULT_GOAL := help
.PHONY: help setup report test conformance lab lint format lock bench clean
PYTHON ?= $(or $(shell for p in python3.11 python3.12 python3.13 python3.14; do $$p -c '' 2>/dev/null && { echo $$p; break; }; done),python3)
BIN := .venv/bin
RUN := .venv/.installed
DEV := .venv/.installed-dev
# The official FOCUS validator needs Python 3.12 and an environment of its own.
PYTHON312 ?= $(shell for p in python3.12 $$HOME/.pyenv/versions/3.12*/bin/python3.12; do $$p -c 'import ensurepip' 2>/dev/null && { echo $$p; break; }; done)
FOCUS := .venv-focus/.installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-emit-package finops-lib --no-header --no-annotate pyproject.toml

help: ## show the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

setup: $(RUN) ## make the environment in .venv

$(RUN): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, found " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@echo "Making the environment in .venv (once; a few minutes)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) -r requirements.lock
	@$(PIP) --no-deps --editable .
	@touch $@

$(DEV): requirements-dev.lock $(RUN)
	@echo "Adding what tests and checks need (once; Spark is large)"
	@$(PIP) -r requirements-dev.lock
	@touch $@

$(FOCUS):
	@test -n "$(PYTHON312)" || { echo "The official FOCUS validator needs Python 3.12; name it: make conformance PYTHON312=path"; exit 1; }
	@echo "Making the environment of the FOCUS validator in .venv-focus (once)"
	@$(PYTHON312) -m venv .venv-focus
	@.venv-focus/bin/python -m pip install --quiet --disable-pip-version-check 'focus-validator==2.2.1' 'pyarrow==21.0.0'
	@touch $@

report: $(RUN) ## make the sample reports and say where they are
	$(BIN)/finops run

test: $(DEV) $(if $(PYTHON312),$(FOCUS)) ## run all tests
	$(BIN)/python -m pytest

conformance: $(DEV) $(FOCUS) ## check exported FOCUS files with the public validators
	$(BIN)/python -m pytest tests/conformance

lab: $(RUN) ## open JupyterLab on the notebooks
	$(BIN)/finops lab

lint: $(DEV) ## check format, style, layering, notebooks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/nbstripout --verify notebooks/*.ipynb

format: $(DEV) ## format code and notebooks, bring the text twins up to date
	$(BIN)/jupytext --sync --quiet notebooks/*.ipynb
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .
	$(BIN)/nbstripout notebooks/*.ipynb
	$(BIN)/jupytext --sync --quiet notebooks/*.ipynb

lock: ## pin all dependencies anew (needs uv)
	$(COMPILE) --upgrade -o requirements.lock
	$(COMPILE) --upgrade --extra test --extra lint -c requirements.lock -o requirements-dev.lock

bench: $(DEV) ## measure speed, forecasts, alarms and routing against peers
	$(BIN)/python benchmarks/ledger.py --rows 1000000
	$(BIN)/python benchmarks/batch.py
	$(BIN)/python benchmarks/allocation.py
	$(BIN)/python benchmarks/gate.py
	$(BIN)/python benchmarks/forecast.py
	$(BIN)/python benchmarks/anomaly.py
	$(BIN)/python benchmarks/routing.py

clean: ## remove the environment and everything made
	rm -rf .venv .venv-focus outputs dist .pytest_cache .hypothesis .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
