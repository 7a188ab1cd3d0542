# jingbao: every day's commands. Needs Python 3.11+, git and make, and nothing else.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run demo test check setup lock real format

run: setup        ## the daemon, with config.yaml
	@$(BIN)/jingbao run

demo: setup       ## the whole thing in a minute, without internet
	@$(BIN)/python -m tests.newsroom.demo

test: setup       ## all tests
	@$(BIN)/python -m pytest

check: setup      ## lint, types, import contract
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

real: setup       ## the daemon on captured feeds and pages (needs ../shared/data)
	@$(BIN)/python -m bench.real

setup: .venv/ready

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "jingbao needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another with: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing what jingbao needs into .venv (a minute or two the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch .venv/ready

format:
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

lock:             ## renew requirements.lock (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-annotate --no-header pyproject.toml --group newsroom --group build --group dev -o requirements.lock
