# Needs only Python >= 3.11, git and make. Everything else goes into .venv (locked in uv.lock) and .uv.

PYTHON ?= python3
ARGS ?=
PROCESSES ?= 3

UV_VERSION := 0.13.9
UV := .uv/$(UV_VERSION)/bin/uv
PACKAGES := models workflows activities starter migrations worker.py
READY := .venv/.ready
export UV_PYTHON_DOWNLOADS := never
unexport PYTHONDONTWRITEBYTECODE # without compiled files each case costs 10 to 25 ms more

.PHONY: help run test prove sabotage histories release chaos soak bench lint clean python
.DEFAULT_GOAL := help

help: ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(READY) ## Start the local stack and play the demo on it (make run ARGS=--no-wait)
	@.venv/bin/backhaul demo $(ARGS)

test: $(READY) ## Every rule and every part, in minutes (make test ARGS="-k RET_10")
	.venv/bin/pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder -m "not proof" $(ARGS)

prove: $(READY) ## The long proofs: races, replays, outages, security, demo; PostgreSQL and no cache; crashes; soak
	.ci/prove

sabotage: $(READY) ## Put twenty faults into the plans, one at a time, and see that the fast tests notice each
	@.venv/bin/python -m tests.plans.sabotage $(ARGS)

histories: $(READY) ## Record the paths that have no recording, whose recording does not replay, or that decide otherwise
	BACKHAUL_RECORD_HISTORIES=1 .venv/bin/pytest -n $(PROCESSES) tests/replay -k decides_as_recorded $(ARGS)

release: $(READY) ## Keep the recorded histories and their facts under a release's name (make release ARGS=0.1)
	@.venv/bin/python -m tests.replay.releases $(ARGS)

chaos: $(READY) ## Kill every part at every step and at random, then count (make chaos ARGS="--minutes 10 --seed 7 --postgres", or --short)
	@.venv/bin/python -m tests.chaos $(ARGS)

soak: $(READY) ## Events in any order, as long as told (make soak ARGS="--minutes 10 --seed 7")
	@.venv/bin/python -m tests.model.soak $(ARGS)

bench: $(READY) ## Measure Backhaul beside a bare workflow: a quarter of an hour (make bench ARGS=--quick, or --full)
	@.venv/bin/python -m bench $(ARGS)

lint: $(READY) ## Linter, formatter, type checker
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy

clean: ## Remove what was installed, the local state and the caches
	rm -rf .venv .uv .backhaul .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

python:
	@command -v $(PYTHON) >/dev/null || { echo "Python is missing: install Python 3.11 or newer" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) -V 2>&1 | cut -d" " -f2); try: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }

$(UV): | python
	@.ci/install uv $(UV_VERSION) $(PYTHON)

$(READY): pyproject.toml uv.lock | python $(UV)
	@.ci/install packages $(UV) "$$(command -v $(PYTHON))" $(PACKAGES)
	@touch $@
