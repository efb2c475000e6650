# Everything starts here: `make help` lists the commands.
# A plain virtual environment in .venv, filled from pyproject.toml at the versions in requirements.lock.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --constraint requirements.lock
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
export PIP_NO_INPUT := 1

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- the environment: a stamp for each set of packages, older than pyproject.toml means install again ----

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; try make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: pyproject.toml requirements.lock | $(BIN)/python
	$(INSTALL) --editable .
	@touch $@

$(VENV)/test.stamp: pyproject.toml requirements.lock | $(BIN)/python
	$(INSTALL) --editable '.[test]'
	@touch $@ $(VENV)/run.stamp

$(VENV)/bench.stamp: $(VENV)/test.stamp
	$(INSTALL) --editable '.[test,bench]'
	@touch $@

# The browser for the tests: CHROMIUM names one, else the system's, else apt's, else Playwright's own. If possible the one
# without a window: it is the same browser, and takes less than half the time. The other one is for a look by hand.
.PHONY: browser
browser: $(VENV)/test.stamp
	@if [ -n "$${CHROMIUM:-}" ] || { command -v chromium-headless-shell && command -v chromium; } >/dev/null; then exit 0; fi; \
	as_root=; if [ "$$(id -u)" != 0 ]; then as_root="$$(command -v sudo || true)"; as_root="$${as_root:+$$as_root -n}"; fi; \
	if command -v apt-get >/dev/null && { [ "$$(id -u)" = 0 ] || [ -n "$$as_root" ]; } && $$as_root apt-get update -qq; then \
	  for package in chromium-headless-shell chromium; do \
	    $$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$$package" >/dev/null </dev/null || true; \
	  done; \
	fi; \
	if command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null; then exit 0; fi; \
	$(BIN)/playwright install chromium

# PostgreSQL for the tests of the store, Debian's package without a running server. Where it cannot be had, pytest says so.
.PHONY: postgresql
postgresql:
	@if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null; then exit 0; fi; \
	as_root=; if [ "$$(id -u)" != 0 ]; then as_root="$$(command -v sudo || true)"; as_root="$${as_root:+$$as_root -n}"; fi; \
	if command -v apt-get >/dev/null && { [ "$$(id -u)" = 0 ] || [ -n "$$as_root" ]; }; then \
	  { $$as_root mkdir -p /etc/postgresql-common \
	    && { [ -e /etc/postgresql-common/createcluster.conf ] \
	      || echo 'create_main_cluster = false' | $$as_root tee /etc/postgresql-common/createcluster.conf >/dev/null; } \
	    && $$as_root apt-get update -qq \
	    && $$as_root env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 apt-get install -y -qq --no-install-recommends postgresql >/dev/null </dev/null; \
	  } || echo "PostgreSQL could not be installed" >&2; \
	fi

# nginx for `make proxy-test`, Debian's package; its service is neither started nor enabled.
.PHONY: nginx
nginx:
	@if [ -x /usr/sbin/nginx ] || command -v nginx >/dev/null; then exit 0; fi; \
	as_root=; if [ "$$(id -u)" != 0 ]; then as_root="$$(command -v sudo || true)"; as_root="$${as_root:+$$as_root -n}"; fi; \
	if command -v apt-get >/dev/null && { [ "$$(id -u)" = 0 ] || [ -n "$$as_root" ]; }; then \
	  mask=/etc/systemd/system/nginx.service; \
	  { $$as_root apt-get update -qq && $$as_root ln -s /dev/null $$mask \
	    && $$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx >/dev/null </dev/null; \
	  } || echo "nginx could not be installed" >&2; \
	  $$as_root rm -f $$mask; if command -v systemctl >/dev/null; then $$as_root systemctl disable --quiet nginx 2>/dev/null || true; fi; \
	fi

# ---- run ----

.PHONY: run
run: $(VENV)/run.stamp ## Start the tutor (HOST, PORT and WORKERS can be set)
	@HOST='$(HOST)' PORT='$(PORT)' WORKERS='$(WORKERS)' exec $(BIN)/python -m tutor.serve

# ---- check ----

.PHONY: test
test: lint browser postgresql ## Check everything: ruff, mypy and all tests, in a browser too
	$(BIN)/python -m pytest -n auto --dist worksteal

.PHONY: quick
quick: $(VENV)/test.stamp ## The tests without a browser and without the slow ones
	$(BIN)/python -m pytest --ignore=tests/browser -m 'not slow' -n auto --dist worksteal

.PHONY: lint
lint: $(VENV)/test.stamp ## ruff and mypy only
	$(BIN)/ruff check .
	$(BIN)/mypy

.PHONY: proxy-test
proxy-test: $(VENV)/test.stamp postgresql nginx ## Two instances behind the proxy of docs/deploy, and the steps of its container
	$(BIN)/python -m pytest --override-ini=addopts= --import-mode=importlib tests/deploy

.PHONY: oracle
oracle: $(VENV)/test.stamp ## Install PyTorch (large); the tests then compare every gradient with it
	$(PIP) install 'torch==2.13.0'

.PHONY: bench
bench: $(VENV)/bench.stamp browser ## Measure: medians and ratios of one run
	$(BIN)/python -m pytest -q -s --override-ini=addopts= --import-mode=importlib --timeout=0 tests/benchmarks

# ---- renew ----

.PHONY: lock
lock: ## Renew requirements.lock from pyproject.toml, in an environment of its own
	@scratch="$$(mktemp -d)"; trap 'rm -rf "$$scratch"' EXIT; \
	$(PYTHON) -m venv "$$scratch"; \
	"$$scratch/bin/python" -m pip --disable-pip-version-check install --quiet --editable '.[test,bench]'; \
	{ echo '# The exact versions that `make` installs, for Python 3.11 and newer. Written by `make lock`; do not edit.'; \
	  "$$scratch/bin/python" -m pip freeze --exclude-editable; } > "$$scratch/lock"; \
	cp "$$scratch/lock" requirements.lock

.PHONY: vendor
vendor: $(VENV)/test.stamp ## Fetch htmx again into static/vendor (docs/vendored.md)
	$(BIN)/python docs/vendor.py htmx

.PHONY: fonts
fonts: $(VENV)/test.stamp ## Fetch and subset the math font again into static/fonts (docs/vendored.md)
	$(BIN)/python docs/vendor.py font

.PHONY: pictures
pictures: $(VENV)/test.stamp browser ## Take the pictures of README.md and docs/ again
	$(BIN)/python docs/pictures.py

.PHONY: sentences
sentences: $(VENV)/run.stamp ## List every sentence that a reader can meet, each once
	@PYTHONPATH=. $(BIN)/python docs/sentences.py

.PHONY: docs
docs: $(VENV)/test.stamp ## Write the meanings of keys into the tables of docs/scenarios.md again
	$(BIN)/python docs/keys.py

.PHONY: clean
clean: ## Remove the environment and every cache
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
