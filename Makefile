# What to do in a checkout. Everything else is `.venv/bin/eopctl`.

PYTHON ?=
export PYTHON
PYTEST_OPTIONS ?=

# journeys that begin first, so that no processor waits for the last of them
LONGEST = $(patsubst %,tests/journeys/test_%.py,axe views screen seating_plan sessions)

.PHONY: run test check style bench fuzz prepare prepare-test clean

# one line on standard output when everything answers; Ctrl-C stops it all
run: prepare
	@exec .venv/bin/eopctl demo

# several files at a time: first what computes, then whole products in browsers, which wait more
test: style
	@.venv/bin/python -m pytest -q -n 4 --dist loadfile --no-loadscope-reorder $(PYTEST_OPTIONS) \
		--ignore=tests/journeys
	@exec .venv/bin/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(PYTEST_OPTIONS) \
		$(LONGEST) tests/journeys

# what is quick: style, types, the rules of the house
check: style
	@.venv/bin/python -m pytest -q $(PYTEST_OPTIONS) $(wildcard tests/test_*.py) \
		tests/controle_vnc/rfb tests/controle_vnc/framebuffer

style: prepare-test
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy

bench: prepare-test
	@exec .venv/bin/python -m tests.bench.all

# every parser of RFB against what nobody should send, for FUZZ_SECONDS; `make test` does two
FUZZ_SECONDS ?= 3600
fuzz: prepare-test
	@.venv/bin/python -m pip install -q --only-binary :all: -r requirements-fuzz.txt || true
	@exec .venv/bin/python -m tests.fuzz $(FUZZ_SECONDS)

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
