# Every target does its own set-up. `make help` lists them.

PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,$(shell $(p) -c 'import sys; sys.version_info >= (3, 11) and print("$(p)")' 2>/dev/null)))
BIN := .venv/bin
HOST ?= 127.0.0.1
PORT ?= 8000

.DEFAULT_GOAL := help
.PHONY: help install serve test lint types bench lock live clean

help: ## Say what each target does
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/installed ## Make .venv with followdata in it, from the locked requirements

.venv/installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed; name it with make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

serve: install ## Serve the web site on http://127.0.0.1:8000 (HOST=, PORT=)
	$(BIN)/followdata serve --host $(HOST) --port $(PORT)

test: install ## Run all tests, offline and in parallel
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

lint: install ## Check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install ## Check types
	$(BIN)/mypy

bench: install ## Run the benchmarks, side by side with peers where there are any
	$(BIN)/python -m benchmarks $(ARGS)

lock: install ## Renew requirements.lock from pyproject.toml
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--quiet --upgrade --extra samples --group dev --output-file requirements.lock pyproject.toml

live: install ## Check each provider's real API (needs the network)
	$(BIN)/python -m pytest --live -m live $(ARGS)

clean: ## Remove .venv and what the tools leave behind
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis build dist
