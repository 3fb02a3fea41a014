# One command for each thing one does here. `make up` and `make test` need nothing but Python 3.11, Go or network
# access to Pulumi's releases, git and make; what they set up once is skipped the next time.

.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-print-directory --no-builtin-rules

PYTHON ?= python3
PYTEST_ARGS ?= -n 3 --dist loadfile
SIMULATOR_ARGS ?=
BENCH_ARGS ?=

# Some images set it. Every run of the engine would then compile the whole program anew, a second each time.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
CHECKED := foundation shared stamps simulator geode tools bootstrap benchmarks workload tests __main__.py

# The stamp carries the lock file's checksum: a checkout of another commit sets up again, a mere new date does not.
LOCK_SUM := $(shell cksum < requirements.lock | tr ' ' '-')
STAMP := $(VENV)/.installed-$(LOCK_SUM)

.PHONY: help
help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS='	' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

.PHONY: setup
setup: $(STAMP) ## virtual environment and engine; done by the others when needed
	@$(BIN)/python -m tools.engine install

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "setup: Python 3.11 or newer is needed, and $(PYTHON) is '$$($(PYTHON) --version 2>&1 | head -n 1)'. Name another: make PYTHON=python3.12 setup" >&2; exit 1; }
	@$(BIN)/python -c 'import pip' 2>/dev/null || { echo "setup: creating $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "setup: installing the locked requirements into $(VENV) (one to three minutes)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@# Without byte code, which PYTHONDONTWRITEBYTECODE keeps from being written later, each run would compile the SDK anew.
	@$(BIN)/python -m compileall -q -j 0 $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
	@rm -f $(VENV)/.installed-*; touch $@

.PHONY: up
up: setup ## deploy the whole fleet to the simulated Azure
	@$(BIN)/python -m simulator up $(SIMULATOR_ARGS)

.PHONY: down
down: setup ## destroy it again
	@$(BIN)/python -m simulator down $(SIMULATOR_ARGS)

.PHONY: test
test: setup ## all tests; PYTEST_ARGS="-k naming" for some
	@$(BIN)/python -m tools.kubernetes_tools install
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

.PHONY: test-faults
test-faults: setup ## a fault at every resource and twenty kills; every night, not in `make test`
	@$(BIN)/python -m pytest -s tests/faults

.PHONY: test-cluster
test-cluster: setup ## manifests and workload on a real Kubernetes control plane; every night
	@$(BIN)/python -m tools.kubernetes_tools install
	@$(BIN)/python -m tools.control_plane install
	@$(BIN)/python -m pytest -rA tests/cluster

.PHONY: bench
bench: setup ## speed, memory and makespan; BENCH_ARGS="--only preview" for a part
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

.PHONY: check
check: $(STAMP) ## format, lint, types, house rules and records, as in CI
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict $(CHECKED)
	$(BIN)/python -m tools.house_rules
	$(BIN)/python -m tools.records

.PHONY: format
format: $(STAMP) ## format the Python files and apply the safe fixes
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: schema
schema: $(STAMP) ## write the JSON schema of the stack files anew
	@$(BIN)/python -m tools.configuration_schema

.PHONY: lock
lock: ## resolve requirements.lock anew from pyproject.toml (needs uv)
	@uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --upgrade --quiet --output-file requirements.lock

.PHONY: clean
clean: ## remove the virtual environment and caches; the engine outside the checkout stays
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
