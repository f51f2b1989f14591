# Every command there is. `make` alone lists them.
# Needs only Python 3.11 or later, make, and the package registry that pip is set to.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PACKAGES := protocol camera server gateway simcam sdk/python verify
# npm's packages (tools of ours, none of the product's), by the Node that is in the virtual environment.
NODE_STAMP := node_modules/.installed
RUN := $(BIN)/python tools/node.py run
TYPESCRIPT := sdk/typescript
# Built into the server's package, from where the server serves it.
CONSOLE := server/src/novavms_server/console/.built
NODE_TEST = $(RUN) node --test --test-timeout=60000 --test-force-exit --test-concurrency=$(JOBS) --test-reporter=dot
ARGS ?=
SEED ?= 1
CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
# Workers of the test run: three more than cores, for many tests wait for cameras that play in real time. The everyday tests calculate.
JOBS ?= $(shell echo $$(( $(CORES) + 3 )))
FAST_JOBS ?= $(shell echo $$(( $(CORES) + 1 )))

.PHONY: help demo install console screenshots test test-fast simulate test-node check fix bench soak lock openapi sdk clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

install: $(STAMP) $(NODE_STAMP)  ## the virtual environment and npm's packages, from their locks
$(STAMP): requirements.lock pyproject.toml $(foreach p,$(PACKAGES),$(p)/pyproject.toml)
	@$(PYTHON) tools/install.py $(VENV)
	@touch $@

$(NODE_STAMP): package-lock.json package.json .npmrc $(TYPESCRIPT)/package.json console/package.json tools/node.py | $(STAMP)
	@$(BIN)/python tools/node.py install

$(TYPESCRIPT)/dist/.built: $(NODE_STAMP) $(shell find $(TYPESCRIPT)/src -name '*.ts') $(wildcard $(TYPESCRIPT)/*.json $(TYPESCRIPT)/*.mjs)
	@$(RUN) node $(TYPESCRIPT)/build.mjs

console: $(CONSOLE)  ## build the web console into the server's package
$(CONSOLE): $(TYPESCRIPT)/dist/.built $(shell find console/src console/public -type f) $(wildcard console/*.json console/*.html console/*.ts)
	@cd console && ../$(BIN)/python ../tools/node.py run vite build --logLevel warn
	@touch $@

demo: $(STAMP)  ## the whole system on this machine: server, gateway, three simulated cameras (Ctrl-C stops it)
	@$(MAKE) --no-print-directory console || echo "demo: the web console could not be built, the lines above say why; all the rest runs without it"
	@exec $(BIN)/novavms-server demo $(ARGS)

screenshots: $(STAMP) $(CONSOLE)  ## every page of the console, dark, light, on a phone and on a 4K wall, into .cache/screenshots
	$(BIN)/python -m tools.screenshots $(ARGS)

test: $(STAMP) test-node $(CONSOLE)  ## every test
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup --no-loadscope-reorder $(ARGS)

test-fast: $(STAMP) $(TYPESCRIPT)/dist/.built  ## the everyday tests, under a minute
	$(NODE_TEST) "$(TYPESCRIPT)/test/*.test.ts" "console/test/*.test.ts"
	$(BIN)/python -m pytest -n $(FAST_JOBS) --dist loadgroup --no-loadscope-reorder -m "not slow" $(ARGS)

simulate: $(STAMP)  ## play one seed of the gateway's simulation: make simulate SEED=42
	$(BIN)/python -m pytest -n 0 tests/simulation -k one_seed --seed $(SEED) $(ARGS)

test-node: $(TYPESCRIPT)/dist/.built  ## the TypeScript library's own tests, and what of the console needs no browser (part of test)
	$(NODE_TEST) "$(TYPESCRIPT)/test/*.test.ts" "$(TYPESCRIPT)/test/slow/*.test.ts" "console/test/*.test.ts"

check: $(STAMP) $(TYPESCRIPT)/dist/.built $(CONSOLE)  ## what CI runs: format, lint, types, import contracts, generated files, every test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/novavms-server openapi --check sdk/openapi.json
	$(BIN)/python -m tools.samples --check
	$(BIN)/python -m tools.sdk_python --check
	$(BIN)/python -m tools.sdk_typescript --check
	$(RUN) pyright -p sdk/python
	PATH="$(CURDIR)/$(BIN):$$PATH" $(RUN) pyright --verifytypes novavms --ignoreexternal
	$(RUN) tsc -p $(TYPESCRIPT)/tsconfig.test.json
	$(RUN) tsc -p console
	$(RUN) tsc -p console/tsconfig.test.json
	$(RUN) oxlint --config console/.oxlintrc.json --deny-warnings console/src
	$(MAKE) --no-print-directory test

fix: $(STAMP)  ## format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

openapi: $(STAMP)  ## write sdk/openapi.json from the server, and what the client libraries have from it
	$(BIN)/novavms-server openapi sdk/openapi.json
	$(BIN)/python -m tools.samples
	$(BIN)/novavms-server openapi sdk/openapi.json  # now with the samples
	$(MAKE) --no-print-directory sdk

sdk: $(STAMP)  ## write what the client libraries have from sdk/openapi.json
	$(BIN)/python -m tools.sdk_python
	$(BIN)/python -m tools.sdk_typescript

bench: $(STAMP) $(TYPESCRIPT)/dist/.built  ## every benchmark, each against its floor or peer in the same run
	$(BIN)/python -m bench $(ARGS)

soak: $(STAMP)  ## 50 cameras recorded for two hours while things go wrong (ARGS="--minutes 30" for less)
	$(BIN)/python -m bench.soak $(ARGS)

lock: $(STAMP)  ## renew requirements.lock (hashes of every dependency, no hosts)
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  $(foreach p,$(PACKAGES),--no-emit-package novavms-$(p)) --no-emit-package novavms --group dev \
	  pyproject.toml $(foreach p,$(PACKAGES),$(p)/pyproject.toml) -o requirements.lock

clean:  ## remove the virtual environment and all caches
	rm -rf $(VENV) node_modules $(TYPESCRIPT)/dist server/src/novavms_server/console .cache .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
