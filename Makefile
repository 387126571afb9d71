# Every target sets up .venv by itself, from the lock, when that is missing or out of date.
#
#   make demo                       the cart journey, end to end, in about a minute
#   make demo KEEP=1                ... and stay up until Ctrl-C
#   make demo NAME=second-purchase  the 6,919 purchases of a real shop; ORDERS=2000 only the first ones
#   make test                       all tests
#
# `make help` lists the rest. PYTHON=/path/to/python3.12 chooses the interpreter.

.DEFAULT_GOAL := help

VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
# Set on the command line only: `NAME`, for one, is in the environment of many machines.
JOBS = 4
NAME =
ORDERS =
KEEP =
UPGRADE =
PYTEST_ARGS =
# Many images set it. Tests and demos start hundreds of processes, and each would compile Sojourn anew.
unexport PYTHONDONTWRITEBYTECODE

LOCK = $(RUN) -m uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)

.PHONY: FORCE help venv demo test test-fast bench lint format docs lock wheel clean clean-all

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo '  Options: make demo NAME=second-purchase, make demo KEEP=1, make PYTHON=/path/to/python3.12 ...'

# PYTHON given, and .venv was made with another version: it is made anew.
ifneq ($(strip $(PYTHON)),)
VERSION = $(shell '$(1)' -c 'import sys; print(sys.version_info[:3])' 2>/dev/null)
ifneq ($(call VERSION,$(PYTHON)),$(call VERSION,$(RUN)))
$(READY): FORCE
endif
endif
FORCE:

$(READY): requirements/dev.txt pyproject.toml scripts/setup-venv
	@PYTHON='$(PYTHON)' sh scripts/setup-venv

venv: $(READY) ## Make .venv and install Sojourn in it

demo: $(READY) ## Run the example journey for real; NAME=second-purchase for the other, KEEP=1 stays up
	@$(RUN) -m sojourn demo $(NAME) $(if $(ORDERS),--orders $(ORDERS)) $(if $(KEEP),--keep)

test: $(READY) ## Run all tests
	$(RUN) -m pytest -n $(JOBS) $(PYTEST_ARGS)

test-fast: $(READY) ## Run the tests that take no more than a few seconds each
	$(RUN) -m pytest -n $(JOBS) -m 'not slow' $(PYTEST_ARGS)

bench: $(READY) ## Measure Sojourn against plain Temporal, its expressions against other CEL libraries, and how limits are held
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/bench.txt
	$(RUN) -m benchmarks
	$(RUN) -m benchmarks.expressions
	$(RUN) -m benchmarks.limits

lint: $(READY) ## Check style, formatting and types
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

format: $(READY) ## Format the code and fix what can be fixed
	$(RUN) -m ruff format .
	$(RUN) -m ruff check --fix .

docs: $(READY) ## Build the documentation site into site/
	$(RUN) -m zensical build --clean --strict

lock: $(READY) ## Write requirements/*.txt from pyproject.toml; UPGRADE=1 takes newer versions
	$(LOCK) --output-file requirements/dev.txt --all-extras --group dev --group docs --group build --group lock \
		pyproject.toml
	$(LOCK) --output-file requirements/runtime.txt --constraint requirements/dev.txt --no-annotate \
		--extra postgres pyproject.toml
	$(LOCK) --output-file requirements/build.txt --constraint requirements/dev.txt --no-annotate --group build
	$(LOCK) --output-file requirements/bench.txt --constraint requirements/dev.txt --no-annotate --group bench

wheel: $(READY) ## Build the wheel into dist/
	@rm -rf build # setuptools would put what lies there into the wheel
	$(RUN) -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

clean: ## Remove what was built, and the caches
	rm -rf build dist site sojourn.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

clean-all: clean ## ... and .venv
	rm -rf $(VENV)
