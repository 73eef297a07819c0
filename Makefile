# Every target sets up .venv by itself, from the hashed locks in requirements/.
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
JOBS ?= 2
# What needs a cluster, Terraform, a container builder or Kafka has a target of its own.
TESTS ?= not (benchmarks or terraform or cluster or images or kafka)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCK := $(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-trusted-host \
	--no-emit-find-links --no-header --no-annotate --strip-extras --allow-unsafe \
	--build-deps-for=editable

.DEFAULT_GOAL := help
include $(wildcard */*.mk */*/*.mk)
.PHONY: help setup demo run test check bench lock schemas clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/run.stamp ## Install what is needed to run, into .venv

demo: $(VENV)/run.stamp ## See one task run as events, within its budget, and what it cost
	@$(BIN)/tollgate demo $(ARGS)

run: $(VENV)/run.stamp ## Keep the whole system running on this machine (Ctrl-C ends it)
	@$(BIN)/tollgate up --port 8080 $(ARGS)

test: $(VENV)/dev.stamp ## Run every test that needs nothing but this machine
	@$(BIN)/python -m pytest -m "$(TESTS)" -n $(JOBS) --dist loadfile -q $(ARGS)

check: $(VENV)/dev.stamp ## Lint, type-check, and test the repository's own rules
	$(BIN)/ruff check .
	$(BIN)/mypy -p functions -p eventing -p shared
	@if command -v shellcheck >/dev/null; then shellcheck .ci/run; \
		else echo "shellcheck is not installed: .ci/run goes unchecked"; fi
	$(BIN)/python -m pytest -q -n $(JOBS) tests/unit/test_repository.py tests/unit/test_documents.py

bench: $(VENV)/dev.stamp ## Measure, print a table and write bench.json (on an idle machine)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

schemas: $(VENV)/dev.stamp ## Write the JSON Schemas and examples of all event types anew
	@$(BIN)/python -m eventing.schemas $(ARGS)

lock: $(VENV)/dev.stamp ## Resolve the dependencies anew and write requirements/*.txt
	$(LOCK) --output-file requirements/run.txt pyproject.toml
	$(LOCK) --extra dev --constraint requirements/run.txt \
		--output-file requirements/dev.txt pyproject.toml

clean: ## Remove .venv and every cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Tollgate needs Python 3.11 or later: none is in PATH"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments. On Debian: apt-get install python3-venv"; \
		exit 1; }
	@echo "Setting up $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)

# The project itself is linked, without its dependencies: those come from the lock alone.
$(VENV)/run.stamp: requirements/run.txt | $(BIN)/python
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt | $(VENV)/run.stamp
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@
