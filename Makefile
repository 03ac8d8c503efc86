# Two commands are enough: `make up` runs the platform, `make test` proves it. The others are listed by `make help`.
PYTHON ?= python3
LAUNCH := "$(PYTHON)" -m vectragrow.embedded
BIN    := .venv/bin
ARGS   ?=

# What would keep Python itself from starting as it should; the launcher puts the rest of the shell's variables in order.
unexport PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONSTARTUP PYTHONINSPECT PYTHONOPTIMIZE PYTHONWARNINGS
.NOTPARALLEL:

.DEFAULT_GOAL := help
.PHONY: help up demo stop test coverage check format lint types contracts drift schema localstripe clients fuzz where lock fmt dev

help:        ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1 #/p' Makefile | column -t -s '#' 2>/dev/null || grep '##' Makefile

up:          ## install what is missing and run the platform (PORT=8000 DATA_DIR=var DEMO=1 OIDC_DEMO=1)
	@exec $(LAUNCH) up

demo:        ## fill the running platform with realistic data (ARGS=--logins: with a known password)
	@exec $(LAUNCH) demo $(ARGS)

stop:        ## stop the platform that runs on DATA_DIR
	@exec $(LAUNCH) stop

test:        ## the whole test suite on servers of its own (ARGS="-k investments")
	@exec $(LAUNCH) test $(ARGS)

coverage:    ## the whole test suite with its coverage: fails below 95 % of services, access.py and core
	@exec $(LAUNCH) test $(ARGS) --cov

check: dev format lint types contracts drift test ## all that CI runs

dev:
	@$(LAUNCH) install --dev

format:
	$(BIN)/ruff format --check .

lint:
	$(BIN)/ruff check .

types:
	$(BIN)/mypy .

contracts:
	$(BIN)/lint-imports

drift:       # generated files and settings that must follow the code
	@exec .ci/drift

schema: dev  ## renew the generated pages: docs/openapi.json, errors.md, events.md, permissions.md, investor-rights.md
	@for name in openapi errors_doc events_doc permissions_doc investor_rights_doc; do \
	  DJANGO_SETTINGS_MODULE=vectragrow.settings.test $(BIN)/python manage.py $$name || exit 1; done

localstripe: ## install a second Stripe-like server for its smoke test, in an environment of its own
	@"$(PYTHON)" -m venv .venv-localstripe && .venv-localstripe/bin/pip install --quiet localstripe==1.15.10

clients: dev ## lint docs/openapi.json, generate clients from it and run the main story with each
	$(BIN)/python .ci/clients/run.py

fuzz: dev    ## send the platform what Schemathesis makes up from its document (FUZZ_SECONDS=300)
	$(BIN)/python .ci/fuzz.py

where: dev   ## the handler of a call: make where q="POST /api/campaigns/.../invest"
	@DJANGO_SETTINGS_MODULE=vectragrow.settings.test $(BIN)/python manage.py where "$(q)"

lock: dev    ## renew requirements*.txt from requirements*.in
	@for name in requirements requirements-dev; do \
	  $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --no-annotate --no-header $$name.in -o $$name.txt; done

fmt: dev     ## put code into its format
	$(BIN)/ruff check --fix-only -q . && $(BIN)/ruff format .
