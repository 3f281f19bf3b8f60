# The two commands of the README, and what else can be run by hand.

PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin

# A half-made environment is none.
.DELETE_ON_ERROR:

.PHONY: demo test check coverage docs standards pictures bench bench-provider soak races clean

demo: $(VENV)/demo-installed
	$(BIN)/mailauth demo

test: $(VENV)/test-installed
	$(BIN)/python -m pytest -q -n 3 tests
	$(MAKE) check

# What reads the code without running it.
check: $(VENV)/test-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The modules that decide are covered to the last branch, or this fails.
coverage: $(VENV)/test-installed
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q tests/sasl tests/oauth tests/validators tests/caches \
		tests/test_*.py
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --fail-under=100 --include="$$($(BIN)/python tests/decisions.py)"

# The documentation that can be run is run, and the fragments of the news are read.
docs: $(VENV)/test-installed
	$(BIN)/python -m doctest docs/embedding.md
	$(BIN)/towncrier build --draft --version next > /dev/null

# Which tests show which case of the acceptance list.
standards: $(VENV)/test-installed
	$(BIN)/python -m tests.checklist

# The pictures of Thunderbird on the set-up page are drawn anew. Needs thunderbird and pngquant.
pictures: $(VENV)/test-installed
	$(BIN)/python -m tests.interop.pictures

bench: $(VENV)/test-installed
	$(BIN)/python bench/login.py

# Needs Node.
bench-provider: $(VENV)/test-installed tests/interop/node/node_modules
	$(BIN)/python bench/provider.py

# Everything that looks for a needle in a haystack, with many more straws than 'make test' has.
soak: $(VENV)/test-installed
	HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest -q -n 2 tests

# What has one use is raced for, and those who race are killed, 20 times as often as by 'make test'.
races: $(VENV)/test-installed
	MAILAUTH_RACES=10000 $(BIN)/python -m pytest -q tests/stores/test_races.py

clean:
	rm -rf $(VENV) build dist *.egg-info mailauth-demo

tests/interop/node/node_modules: tests/interop/node/package-lock.json
	npm ci --silent --prefix tests/interop/node
	touch $@

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo-installed: setup.cfg setup.py | $(VENV)/bin/python
	$(BIN)/pip install -q -e '.[server]'
	touch $@

$(VENV)/test-installed: setup.cfg setup.py | $(VENV)/bin/python
	$(BIN)/pip install -q -e '.[test]'
	touch $@
