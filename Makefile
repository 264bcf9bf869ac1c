# One way to do a thing. `make help` lists the targets.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install demo check test chaos bench compiled bench-publish bench-console bench-warehouse lock clean mutation nightly fuzz

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Shekara needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Run: make PYTHON=python3.12 …")'
	@echo "Installing into $(VENV) (pinned and verified by hash; about 1.2 GB, once) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing. On Debian or Ubuntu: apt-get install python3-venv"; rm -rf $(VENV); exit 3; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock || { echo "Could not install the packages of requirements.lock: is the network up? Run the same command again: what has arrived is kept."; exit 4; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

install: $(VENV)/.installed ## make .venv with everything pinned

demo: install ## a synthetic country, end to end; ARGS="--people 2000 --days 30 --seed 7 --until-done --json"
	@exec $(BIN)/shekara demo $(ARGS)

check: install ## linters, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test: install ## the whole test suite, on real Kafka and the real ClickHouse engine; ARGS="-k name"
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

chaos: install ## break everything for an hour or so (kills, sleep, cut links, full disks); ARGS="-k asleep"; report in bench/chaos.json
	@SHEKARA_CHAOS=long $(BIN)/python -m pytest tests/chaos -v -s -p no:cacheprovider $(ARGS)

bench: install ## measure and write bench/report.json and docs/benchmarks.md; ARGS="--only lanes --events 200000"
	@$(BIN)/python -m bench $(ARGS)

compiled: install ## compile the rooms that decide (mypyc, needs a C compiler); ARGS="--test" or ARGS="--measure"
	@$(BIN)/python -m bench.compiled $(ARGS)

mutation: install ## change the rules in one place at a time: does a test notice? ARGS="--sample 1500 --jobs 2"
	@$(BIN)/python -m bench.mutation $(ARGS)

nightly: install ## 20 000 lives and workforces and more against the oracle; ARGS="-k anchor"
	@SHEKARA_TEST_PROFILE=nightly $(BIN)/python -m pytest -q tests/property/test_oracle_agreement.py tests/property/test_labour.py \
	    tests/property/test_calculator_agreement.py tests/property/test_folding.py tests/property/test_simulated_country.py $(ARGS)

fuzz: install ## a million broken messages at door, gateway and importers; ARGS="2000000 7 --page docs/fuzzing.md"
	@$(BIN)/python -m tests.fuzz $(ARGS)
	@SHEKARA_FUZZ_EXAMPLES=2000 $(BIN)/python -m pytest -q --timeout 3600 tests/integration/test_gateway_attacked.py

bench-publish: install ## SDK and gateway against the bare client; ARGS="--runs 5", or ARGS="day": 24 hours without a link
	@$(BIN)/python -m bench.publish $(ARGS)

bench-console: install ## live feeds under load, checks while the stream runs; ARGS="feeds --feeds 200 --rate 50 --seconds 300" or ARGS="check"
	@$(BIN)/python -m bench.console $(or $(ARGS),feeds)

bench-warehouse: install ## questions at 1, 10 and 100 million crossings; ARGS="--crossings 1000000,100000000 --keep DIR"
	@$(BIN)/python -m bench.warehouse $(ARGS)

lock: ## resolve the dependencies again and write requirements.lock
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url --all-extras --group dev pyproject.toml -o requirements.lock

clean: ## remove the virtual environment and caches, not your data
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
