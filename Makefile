# Two commands do everything: `make demo` runs the nightly job over a small organisation, `make test` passes the tests.
# `make check` holds the rest: style, types, contracts, documentation, dependencies, the wheel, coverage.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: demo test check gates lint docs wheel audit coverage mutation requirements torture clean

demo: $(VENV)/run.stamp ## evaluate a small organisation on this machine and print its weekly digest
	$(BIN)/pipmetrics demo

test: $(VENV)/dev.stamp ## run the whole test suite; installs the browser and fonts that it needs
	tests/needs.sh
	$(BIN)/pytest -n auto

check: gates coverage ## every gate beside the tests: those of `gates`, and the branch coverage

gates: lint docs audit wheel ## what takes minutes: style, types, contracts, documentation, dependencies, the wheel

lint: $(VENV)/dev.stamp ## style, types, contracts of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/dev.stamp ## the documentation as a site in build/site; a warning is an error
	$(BIN)/python docs/generate.py --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

audit: $(VENV)/dev.stamp ## pins, hashes, ranges and licences of what is installed
	$(BIN)/python .ci/audit.py

wheel: $(VENV)/dev.stamp ## build the wheel, install and use it in two new environments, list its materials
	.ci/wheel.sh

coverage: $(VENV)/dev.stamp ## branch coverage by the tests that are not heavy, at least 90 %; takes a quarter of an hour
	tests/needs.sh
	rm -rf build/coverage && mkdir -p build/coverage
	$(BIN)/coverage run -m pytest -n auto -m "not heavy"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --format=total --fail-under=0 | sed 's/.*/Branch coverage: & %/'
	$(BIN)/coverage report --show-missing >build/coverage/report.txt # fails below what pyproject.toml asks for

mutation: $(VENV)/dev.stamp ## change the code of the rules and count what no test notices; SAMPLE=0 for every change
	nice -n 19 $(BIN)/python .ci/mutation.py --sample $(or $(SAMPLE),60)

torture: $(VENV)/dev.stamp ## kill pulls and nights a thousand times over SQLite, two hundred over PostgreSQL
	PIPMETRICS_TORTURE=20 $(BIN)/pytest -n auto -k kill tests/test_pull.py tests/test_runner.py

$(VENV)/run.stamp: requirements/run.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements/dev.txt
	$(PIP) install --require-hashes -r requirements/dev.txt
	touch $@

requirements: ## resolve the hashed requirement files anew (needs uv on the path)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--group run pyproject.toml --output-file requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--all-extras --group run --group dev --constraints requirements/run.txt pyproject.toml \
		--output-file requirements/dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--group run --group bench --constraints requirements/run.txt pyproject.toml --output-file requirements/bench.txt

clean:
	rm -rf $(VENV) dist build
