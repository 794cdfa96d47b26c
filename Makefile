.DEFAULT_GOAL := help
.PHONY: help setup report test lab lint format lock bench clean
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do command -v $$p >/dev/null 2>&1 && { echo $$p; break; }; done)
BIN := .venv/bin
STAMP := .venv/.installed

help: ## show the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(STAMP) ## make the environment in .venv

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, found " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(STAMP)

report: $(STAMP) ## make the sample reports and say where they are
	$(BIN)/finops run

test: $(STAMP) ## run all tests
	$(BIN)/python -m pytest

lab: $(STAMP) ## open JupyterLab on the notebooks
	$(BIN)/finops lab

lint: $(STAMP) ## check format, style, layering, notebooks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/nbstripout --verify notebooks/*.ipynb

format: $(STAMP) ## format code and notebooks, bring the text twins up to date
	$(BIN)/jupytext --sync --quiet notebooks/*.ipynb
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .
	$(BIN)/nbstripout notebooks/*.ipynb
	$(BIN)/jupytext --sync --quiet notebooks/*.ipynb

lock: ## pin all dependencies anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --extra test --extra lint --no-emit-index-url --no-header --no-annotate pyproject.toml -o requirements.lock
	sed -i '/^finops-lib/d' requirements.lock

bench: $(STAMP) ## run the benchmarks
	$(BIN)/python benchmarks/ledger.py --rows 1000000
	$(BIN)/python benchmarks/batch.py

clean: ## remove the environment and everything made
	rm -rf .venv outputs dist .pytest_cache .hypothesis .ruff_cache
