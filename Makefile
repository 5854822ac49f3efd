# make demo: the main job on real input. make test: the whole suite. Both set themselves up.
PYTHON ?= python3.11
.PHONY: test lint
.venv/.stamp-test: pyproject.toml constraints.txt
	test -d .venv || $(PYTHON) -m venv .venv
	.venv/bin/pip install -q -c constraints.txt -e '.[clip,demo,dev]'
	touch $@
test: .venv/.stamp-test
	.venv/bin/pytest
lint: .venv/.stamp-test
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports
