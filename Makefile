# Everything a contributor does, one word each. Each target makes what it needs: the virtual environment, an engine
# (yours, or as root on Debian and Ubuntu a private one), the base images. Nothing keeps running afterwards.

SHELL := /bin/bash
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
WITH_ENGINE := FRESHD_REQUIRE_ENGINE=1 .ci/with-engine
WITH_INSTALLED := FRESHD_REQUIRE_ENGINE=1 FRESHD_ENGINE=installed .ci/with-engine
WITH_OLD := FRESHD_REQUIRE_ENGINE=1 FRESHD_ENGINE=old .ci/with-engine
# Engine tests wait about as much as they compute. How they are shared out: tests/spread.py.
WORKERS ?= 4
SPREAD := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
SPREAD_UNIT := -n 2 --dist loadfile
# What `make test` has a few of, and `make test-all` has many of: docs/contributing.md says how many.
MANY := FRESHD_KILLS=100 FRESHD_SEQUENCES=500 FRESHD_ORACLE_COUNT=300 FRESHD_PATTERNS=10000 FRESHD_DAMAGED=1000 FRESHD_CUTS=1000 FRESHD_FILLED=50 FRESHD_LARGE=600 FRESHD_MUTATED=100000 FRESHD_EVERY_CALL=1 FRESHD_COLD=1 FRESHD_PODMAN=$${FRESHD_PODMAN:-podman}
# For one test: make engine TESTS='tests/engine/test_inject.py -k mode'
TESTS ?=

.DEFAULT_GOAL := help
.PHONY: help venv lint types layers unit loop checks ahead engine test test-all test-installed test-old causes demo bench clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

venv: ## make or refresh .venv (every other target does)
	@.ci/venv

lint: venv ## ruff: rules and format
	@echo "lint"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check .; exit 1; }

types: venv ## mypy --strict
	@echo "types"
	@$(BIN)/mypy

layers: venv ## import-linter: imports point downwards
	@echo "layers"
	@PYTHONPATH=. $(BIN)/lint-imports

unit: venv ## unit tests: no engine
	@$(PYTEST) -q $(if $(TESTS),$(TESTS),$(SPREAD_UNIT) tests/unit)

loop: venv ## whole passes against a fake engine: seconds
	@$(PYTEST) -q $(if $(TESTS),$(TESTS),$(SPREAD_UNIT) tests/loop)

checks: lint types layers unit loop ## all that needs no engine, in a minute

ahead: # what engine tests need and takes long where it is not there yet
	@.ci/ahead

engine: venv ## engine tests, on your engine or a private one
	@$(WITH_ENGINE) $(PYTEST) -q $(if $(TESTS),$(TESTS),$(SPREAD) tests/engine)

test: ## all of it, as CI does: checks while an engine and images are made, then the engine tests
	@$(MAKE) --no-print-directory -j 3 ahead checks
	@$(MAKE) --no-print-directory engine

test-all: ## what `make test` has, many times over, and Podman and older Dockers: some hours
	@$(MANY) $(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory test-installed
	@$(MAKE) --no-print-directory test-old

test-installed: venv ## the engine tests on the Docker that is installed, or that the distribution has: 26.1 on Debian 12
	@$(WITH_INSTALLED) $(PYTEST) -q $(if $(TESTS),$(TESTS),$(SPREAD) tests/engine)

test-old: venv ## the engine tests on Docker 20.10 with Compose v1 beside it (root on Debian 12)
	@$(WITH_OLD) $(PYTEST) -q $(if $(TESTS),$(TESTS),$(SPREAD) tests/engine)

causes: venv ## docs/causes.md from their pages, and docs/proofs.md from their tests on a real engine
	@$(BIN)/python -m freshd.catalog.causes.pages > docs/causes.md
	@$(WITH_ENGINE) $(PYTEST) -q $(SPREAD) -m proves --causes-table docs/proofs.md tests/engine

demo: venv ## a small real stack, kept in step before your eyes
	@.ci/with-engine $(BIN)/python docs/demo/demo.py

bench: venv ## the budgets of the design, measured beside docker compose watch
	@.ci/with-engine $(BIN)/python -m benchmarks.bench

clean: ## remove .venv, caches and build output
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
