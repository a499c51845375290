# Everything a contributor does, one word each. Each target makes what it needs: the virtual environment, an engine
# (yours, or as root on Debian and Ubuntu a private one), the base images. Nothing keeps running afterwards.

SHELL := /bin/bash
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
WITH_ENGINE := FRESHD_REQUIRE_ENGINE=1 .ci/with-engine
WITH_OLD := FRESHD_REQUIRE_ENGINE=1 FRESHD_ENGINE=old .ci/with-engine
# Engine tests wait more than they compute; files stay whole, so that module fixtures are made once.
WORKERS ?= 2
SPREAD := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
# For one test: make engine TESTS='tests/engine/test_inject.py -k mode'
TESTS ?=

.DEFAULT_GOAL := help
.PHONY: help venv lint types layers unit loop engine test test-old causes demo bench clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

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
	@$(PYTEST) -q $(or $(TESTS),tests/unit)

loop: venv ## whole passes against a fake engine: seconds
	@$(PYTEST) -q $(if $(TESTS),$(TESTS),-n $(WORKERS) tests/loop)

engine: venv ## engine tests, on your engine or a private one
	@$(WITH_ENGINE) $(PYTEST) -q $(if $(TESTS),$(TESTS),$(SPREAD) tests/engine)

test: lint types layers ## all of it, as CI does: lint, types, layers, unit, loop and engine tests
	@$(WITH_ENGINE) $(PYTEST) -q $(SPREAD) tests/unit tests/loop tests/engine

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
