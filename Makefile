# Targets for people and for CI. `make demo` and `make test` do all set-up on a fresh Debian 12.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PY ?= python3
BIN := .venv/bin
WHEEL_VENV := build/wheel-venv
PYTEST := $(BIN)/pytest

.DEFAULT_GOAL := help
.PHONY: help install install-dev format lint types unit integration faults faults-short acceptance \
	test demo bench docs lock wheel

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.venv/run.stamp: pyproject.toml requirements.lock
	@.ci/bootstrap run
	@echo "Installing Python packages into .venv (requirements.lock)"
	@[ -x $(BIN)/python ] || $(PY) -m venv .venv
	@$(BIN)/pip install -q --disable-pip-version-check -r requirements.lock 2>&1 | grep -v '^WARNING: Location' || :
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps -e .  2>&1 | grep -v '^WARNING: Location' || :
	@$(BIN)/python -c 'import hub, connectors' && touch $@

.venv/dev.stamp: .venv/run.stamp requirements-dev.lock
	@.ci/bootstrap test
	@echo "Installing the developers' packages into .venv (requirements-dev.lock)"
	@$(BIN)/pip install -q --disable-pip-version-check -r requirements-dev.lock 2>&1 | grep -v '^WARNING: Location' || :
	@$(BIN)/python -c 'import pytest, hypothesis, signxml' && touch $@

install: .venv/run.stamp ## make .venv/bin/hub
install-dev: .venv/dev.stamp ## … and what the tests and linters need

format: install-dev ## format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix --quiet .

lint: install-dev ## ruff and the floors of the house
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

types: install-dev ## mypy --strict
	@$(BIN)/mypy

unit: install-dev ## tests without sockets
	@$(PYTEST) -q -n 2 tests/unit tests/architecture tests/vectors

integration: install-dev ## tests with a real RabbitMQ node and databases
	@$(PYTEST) -q -n 2 --dist loadfile tests/integration

wheel: install-dev ## build the wheel and install it into a venv of its own
	@rm -rf dist $(WHEEL_VENV) && $(BIN)/python -m build --wheel --no-isolation --outdir dist . >/dev/null
	@$(PY) -m venv $(WHEEL_VENV)
	@$(WHEEL_VENV)/bin/pip install -q --disable-pip-version-check -r requirements.lock 2>&1 | grep -v '^WARNING: Location' || :
	@$(WHEEL_VENV)/bin/pip install -q --disable-pip-version-check --no-deps dist/*.whl 2>&1 | grep -v '^WARNING: Location' || :

acceptance: wheel ## the demo's scenario and the command line, on the installed wheel
	@PYTHONPATH=$$($(WHEEL_VENV)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') \
		HUB_COMMAND=$(CURDIR)/$(WHEEL_VENV)/bin/hub $(PYTEST) -q tests/acceptance tests/vectors

faults: install-dev ## the whole fault matrix
	@$(PYTEST) -q tests/faults
faults-short: install-dev ## a short selection of it
	@$(PYTEST) -q tests/faults -m "not long"

test: lint types unit integration faults-short acceptance ## everything CI checks

demo: install ## the whole system on this machine, on real parts
	@$(BIN)/hub demo $(DEMO)

bench: install-dev ## the benchmarks
	@$(BIN)/hub bench verify --size 4096 && $(BIN)/hub bench sign --size 4096 \
		&& $(BIN)/hub bench relay --size 10240

docs: install-dev ## regenerate docs/reference
	@$(BIN)/python -m hub.testing.reference docs/reference

LOCK := $(BIN)/pip-compile -q --strip-extras --no-annotate --no-header --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
DEV_GROUP := import tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"], sep="\n")

lock: ## resolve pyproject.toml anew into the two lock files
	@$(LOCK) --extra postgresql -o requirements.lock pyproject.toml
	@$(BIN)/python -c '$(DEV_GROUP)' | $(LOCK) -c requirements.lock -o requirements-dev.lock -
