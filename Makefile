# Everything happens in .venv; only Python 3.11+ with venv, and make, must be there.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 5000
BIN := .venv/bin
CATALOGUES := $(wildcard translations/*/LC_MESSAGES/messages.po)
SOURCES := $(wildcard app.py clearance admin_views forms migrations tests benchmarks examples)
# Some tests wait for a deadline or a server: a third worker uses that time of two cores.
PARALLEL ?= 3
# COVER=1 make test measures what the tests reach; it takes a quarter longer.
COVERAGE := $(if $(COVER),--cov --cov-report=term:skip-covered)

# Tests start the portal in processes of its own: what was imported once stays compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run install test lint format strings sbom licences audit clean

run: .venv/run static/fonts/made $(CATALOGUES:.po=.mo)
	DEMO=1 HOST=$(HOST) PORT=$(PORT) BASE_URL=http://$(HOST):$(PORT) $(BIN)/python app.py

# What production needs, and nothing else: no demo, no test tools. All is compiled now, because the
# portal's user cannot write here: each process would compile it anew for itself.
install: .venv/run static/fonts/made $(CATALOGUES:.po=.mo)
	$(BIN)/python -m compileall -qq .venv/lib app.py clearance admin_views forms

test: lint static/fonts/made $(CATALOGUES:.po=.mo)
	$(BIN)/python -m pytest -n $(PARALLEL) --dist worksteal -q $(COVERAGE) $(ARGS)

lint: .venv/test
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports --no-cache

format: .venv/test
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

# Read new texts from code and templates into the catalogue (tests name what still lacks Arabic).
strings: .venv/test
	$(BIN)/pybabel -q extract -F babel.cfg -k _l -k lazy_gettext -k lazy_ngettext:1,2 -k lazy_pgettext:1c,2 --no-location --sort-output -o translations/messages.pot .
	$(BIN)/pybabel -q update -i translations/messages.pot -d translations --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width 100
	$(MAKE) $(CATALOGUES:.po=.mo)

# A bill of materials (CycloneDX) of what `make install` installs, for a release.
sbom: .venv/run
	$(BIN)/python -m clearance.cli.supply sbom > sbom.json

licences: .venv/run
	$(BIN)/python -m clearance.cli.supply licences > docs/licences.md

# What is known against the packages of the lock; says so and goes on where there is no network.
audit: .venv/run
	$(BIN)/python -m clearance.cli.supply audit

.venv/uv:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

.venv/run: .venv/uv requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	@touch $@

.venv/test: .venv/uv requirements-dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.txt
	@touch $@ .venv/run

static/fonts/made: clearance/web/fonts.py requirements.txt | .venv/uv
	@test -e .venv/run || $(MAKE) .venv/run
	$(BIN)/python -m clearance.web.fonts static/fonts
	@touch $@

%.mo: %.po | .venv/uv
	@test -e .venv/run || $(MAKE) .venv/run
	$(BIN)/pybabel -q compile -i $< -o $@

clean:
	rm -rf .venv static/fonts instance translations/*/LC_MESSAGES/*.mo translations/messages.pot
