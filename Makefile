# make demo: the main job on real photographs; make desk: its cases in the browser. make test: all tests. make lint: style, types...
# make bench: quality and cost beside other methods (BENCH=FOLDER for your own pictures; DESCRIPTOR=FILE for a neural one beside
# them; ONLY=quality, scale, memory, fetching, scanning, search, desk or proof for one part). make fit PICTURES="FOLDER...": fit the confidence on your
# own pictures. Each sets up .venv by itself.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo desk test lint bench fit clean

BENCH ?=
DESCRIPTOR ?=
ONLY ?=
PICTURES ?=

help:
	@sed -n '1,4s/^# //p' Makefile

# Takes the first of these that starts, is Python 3.11 or newer and can make virtual environments.
.venv/bin/python:
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    echo "Making .venv with $$($$python --version)"; \
	    exec $$python -m venv --clear .venv; \
	  fi; \
	done; \
	echo "guardian needs Python 3.11 or newer with its venv module; tried python3.13, python3.12, python3.11 and python3." >&2; \
	echo "On Debian or Ubuntu: sudo apt install python3.11-venv. On macOS: brew install python@3.12. Or name one: make demo PYTHON=/path/to/python3" >&2; \
	exit 1

# One stamp file for each set of extras: what is installed already is not installed again.
.venv/.stamp-demo: pyproject.toml setup.py constraints.txt | .venv/bin/python
	@echo "Installing guardian (about a minute the first time)"
	@.venv/bin/python tools/install.py demo
	@touch $@

.venv/.stamp-test: pyproject.toml setup.py constraints.txt | .venv/bin/python
	@echo "Installing guardian with CLIP and the tools for tests (several minutes the first time: torch is large)"
	@.venv/bin/python tools/install.py clip,demo,dev
	@touch $@ .venv/.stamp-demo

demo: .venv/.stamp-demo
	@.venv/bin/python -m demo

desk: .venv/.stamp-demo
	@.venv/bin/python -m demo.desk

# Three processes for two cores, up to eight (each takes up to two gigabytes). All tests of a file run in one process, which makes
# what they share once. Files are run in the order in which they are found: the short ones come last.
test: .venv/.stamp-test
	.venv/bin/pytest -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder

# TESTED=1: the tests of the house have just been run.
lint: .venv/.stamp-test
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(if $(TESTED),,.venv/bin/pytest tests/test_house.py)

# The package of PDQ must be compiled; where that fails, the bench runs without it.
.venv/.stamp-bench: .venv/.stamp-test
	@.venv/bin/pip install -q -c constraints.txt psutil
	@.venv/bin/pip install -q -c constraints.txt pdqhash || echo "PDQ could not be built here and is left out"
	@touch $@

bench: .venv/.stamp-bench
	.venv/bin/python -m bench $(if $(BENCH),--folder '$(BENCH)') $(if $(DESCRIPTOR),--descriptor '$(DESCRIPTOR)') $(if $(ONLY),--only $(ONLY))

fit: .venv/.stamp-test
	.venv/bin/python -m guardian.evaluation.fit --diagram docs/reliability.svg $(PICTURES)

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
