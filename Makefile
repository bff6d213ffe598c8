# `make` alone lists what there is.
PYTHON ?= python3
ARGS ?=
PY := .venv/bin/python
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard shared/translations/*/LC_MESSAGES/messages.po))
GROUPS := intake matching notify setup demo dev
# What a demo reads: PORT=8000 DEMO_HOME=.local/demo DETACH=1 (see deploy/demo)
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help demo demo-stop demo-clean demo-memory journey burst scale half-year test pages rules handlers lint strings strings-check compose-test logs kitchen path locks clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

# look at it

demo: .venv/ready-demo $(CATALOGUES) ## everything on this machine, to look at: http://127.0.0.1:8000 (Ctrl-C stops it; DETACH=1 goes to the background)
	@$(PY) -m deploy.demo start

demo-stop: ## end every process that the demo started
	@test ! -x $(PY) || $(PY) -m deploy.demo stop

demo-clean: demo-stop ## remove the demo's data: people, requests, e-mails, keys
	@test ! -x $(PY) || $(PY) -m deploy.demo clean

demo-memory: ## how much memory the running demo takes, process by process
	@$(PY) -m deploy.demo memory

journey: .venv/ready-demo $(CATALOGUES) ## 50 requests through the demo: how long from Send to accepted by mail and text gateway (N=50 RATE=5)
	@$(PY) -m bench.journey $(ARGS)

burst: .venv/ready-demo $(CATALOGUES) ## 1,000 requests as fast as 16 clients are answered: how many a second, what each costs (N=1000; KILL=1: with kill -9)
	@$(PY) -m bench.burst

scale: .venv/ready-demo $(CATALOGUES) ## 100,000 practitioners and 300,000 who wait: what each page and handler costs then (SCALE=small: 30,000 who wait)
	@$(PY) -m bench.scale

half-year: .venv/ready-demo $(CATALOGUES) ## 26 weeks of people who answer, forget, leave and come back, on real servers: what must stay true of each (N=150 SEED=1)
	@$(PY) -m bench.half_year

path: .venv/ready-demo $(CATALOGUES) ## one request, traced from form to e-mail and text: files and lines of services/ that it enters
	@$(PY) -m bench.path

logs: ## follow the running demo's logs
	@$(PY) -m deploy.demo logs

kitchen: ## the operator's command line against the running demo: make kitchen ARGS="status" (or "--help")
	@$(PY) -m deploy.demo kitchen $(or $(ARGS),--help)

# work on it

test: .venv/ready-dev $(CATALOGUES) ## every test, on real servers that are started for the run (CONTAINERS=1: in containers)
	@$(PY) -m pytest $(ARGS)

pages: .venv/ready-dev $(CATALOGUES) ## every page in every state: axe, valid HTML, keyboard, words, weight, pictures; sheets to look at (FULL=1, UPDATE=1)
	@$(PY) -m tests.gates

rules: .venv/ready-dev ## the pure decisions alone: under two seconds
	@$(PY) -m pytest -q tests/rules $(ARGS)

handlers: .venv/ready-dev $(CATALOGUES) ## what each message does, on a real MongoDB
	@$(PY) -m pytest -q tests/handlers $(ARGS)

lint: .venv/ready-dev strings-check ## style, types, who may import whom, translations
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@.venv/bin/lint-imports

strings: .venv/ready-dev ## bring the catalogue up to date with the sentences in the code; then translate what is empty
	@$(PY) -m deploy.strings update

strings-check: .venv/ready-dev ## fail when a sentence is missing, stale or not translated
	@$(PY) -m deploy.strings check

compose-test: .venv/ready-dev $(CATALOGUES) ## the journey through the compose stack, with two copies of each worker
	@deploy/compose-test

locks: .venv/ready-dev ## make the locked requirements again from pyproject.toml (UPGRADE=1: newest versions)
	@for group in $(GROUPS); do \
	  echo "deploy/locks/$$group.txt"; \
	  .local/uv/bin/uv pip compile -q --universal --generate-hashes --python-version 3.11 $(if $(UPGRADE),--upgrade) \
	    --no-emit-index-url --no-emit-find-links --group $$group -o deploy/locks/$$group.txt pyproject.toml \
	    --custom-compile-command "uv pip compile --universal --generate-hashes --python-version 3.11 --group $$group -o deploy/locks/$$group.txt pyproject.toml" || exit 1; \
	done

clean: demo-clean ## remove the environment and every cache
	@rm -rf .venv .local/uv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis $(CATALOGUES)
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/ready-%: deploy/locks/%.txt deploy/locks/uv.txt
	@deploy/environment $*
	@touch $@

%.mo: %.po | .venv/ready-demo
	@$(PY) -m deploy.strings compile
