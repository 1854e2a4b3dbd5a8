# Needs python3 (3.11 to 3.13) and make, nothing else. uv is used where it is on the PATH; it is only faster.

PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11 python; do \
	$$each -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$each && break; done)
SEED ?= 1
UV ?= $(shell command -v uv 2>/dev/null)
BIN := .venv/bin
ifneq ($(UV),)
INSTALL = "$(UV)" pip install --quiet --python $(BIN)/python
OFFLINE := --offline --no-deps --no-build-isolation
else
INSTALL = $(BIN)/python -m pip --disable-pip-version-check install --quiet
OFFLINE := --no-index --no-deps --no-build-isolation
endif
COMPILE = "$(UV)" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate pyproject.toml --group build

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run test soak check bench lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: .venv/.dev ## Set up .venv with everything that the other targets need

run: .venv/.run ## Run the server on the platforms whose tokens are set; if none is, the demo
	@$(BIN)/threadline demo --unless-configured

test: .venv/.dev ## Run every test, in random order
	@$(BIN)/python -m pytest -q -n 4 --dist worksteal

soak: .venv/.dev ## Run the long soak under random faults and kills; PLATFORM=slack, SEED=2 for another course
	@$(BIN)/python -m pytest -q -rP --soak full --soak-platform "$(or $(PLATFORM),discord)" --soak-seed $(SEED) tests/crash/test_soak.py

check: .venv/.dev ## Check format, lint, types and import rules
	@$(BIN)/ruff format --check --quiet . || { echo "Some files are not formatted: run $(BIN)/ruff format"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright
	@$(BIN)/lint-imports --no-logo

bench: .venv/.dev ## Measure speed and size against the simulators; PLATFORM=slack for its part alone
	@$(BIN)/python tests/bench/run.py $(if $(PLATFORM),--only $(PLATFORM))

lock: ## Write the lock files anew (needs uv)
	@test -n "$(UV)" || { echo "make lock needs uv on the PATH."; exit 1; }
	$(COMPILE) --output-file requirements.lock
	$(COMPILE) --group dev --constraints requirements.lock --output-file requirements-dev.lock

clean: ## Remove .venv and what tools leave behind; the state directory stays
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find bots shared migrations sandbox tests -type d -name __pycache__ -exec rm -rf {} +

# The stamps say what .venv holds, so that nothing is done twice.

.venv/.made:
	@test -n "$(PYTHON)" || { echo "Threadline needs Python 3.11, 3.12 or 3.13; python3 here is" \
		"$$(python3 -c 'import platform; print(platform.python_version())' 2>/dev/null || echo missing)." \
		"Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python"; exit 1; }
	@echo "Setting up .venv; the first time takes a minute or two."
ifneq ($(UV),)
	@"$(UV)" venv --quiet --allow-existing --python "$(PYTHON)" .venv
else
	@$(PYTHON) -m venv .venv || { echo "$(PYTHON) cannot make a virtual environment:" \
		"install its venv module (Debian and Ubuntu: the package python3-venv)."; exit 1; }
endif
	@touch $@

.venv/.run: .venv/.made requirements.lock pyproject.toml
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) $(OFFLINE) -e .
	@touch $@

.venv/.dev: .venv/.run requirements-dev.lock
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@
