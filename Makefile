# Two commands do everything: `make demo` runs the nightly job over a small organisation, `make test` passes the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: demo test check requirements torture clean

demo: $(VENV)/run.stamp ## evaluate a small organisation on this machine and print its weekly digest
	$(BIN)/pipmetrics demo

test: $(VENV)/dev.stamp ## run the whole test suite; installs the browser and fonts that it needs
	tests/needs.sh
	$(BIN)/pytest -n auto

check: $(VENV)/dev.stamp ## lint, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

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
