# What to do in a checkout. Everything else is `.venv/bin/eopctl`.

PYTHON ?=
export PYTHON
PYTEST_OPTIONS ?=

.PHONY: run test check bench prepare prepare-test clean

# one line on standard output when everything answers; Ctrl-C stops it all
run: prepare
	@exec .venv/bin/eopctl demo

# two at a time what is quick; then one after the other what is timed: whole products, browsers
test: check
	@.venv/bin/python -m pytest -q -n 2 --dist loadfile $(PYTEST_OPTIONS) \
		--ignore=tests/journeys --ignore=tests/bench
	@exec .venv/bin/python -m pytest $(PYTEST_OPTIONS) tests/journeys tests/bench

# what is quick: style, types, the rules of the house
check: prepare-test
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/python -m pytest -q $(PYTEST_OPTIONS) $(wildcard tests/test_*.py) \
		tests/controle_vnc/rfb tests/controle_vnc/framebuffer

bench: prepare-test
	@exec .venv/bin/python -m tests.bench.all

prepare:
	@sh deploy/prepare.sh run

prepare-test:
	@sh deploy/prepare.sh test

# the data in var/ stays
clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		eop/static/dist eop/frontend/node_modules tests/oidc_provider/node_modules
	find eop controle_vnc diagnose tests -name __pycache__ -type d -prune -exec rm -rf {} +
	find eop/translations -name '*.mo' -delete
