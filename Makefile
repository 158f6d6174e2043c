# Everything a newcomer needs: `make demo` and `make test` set themselves up on a machine with Python 3.11, pip and make.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export TOKENIZERS_PARALLELISM := false

.PHONY: demo test slow check setup setup-dev clean

demo: setup  ## audit -> correct -> audit again on an embedded organism, offline
	$(BIN)/gnomon loop organism/sycophant --behaviour sycophancy

test: setup-dev  ## the fast tests
	$(BIN)/python -m pytest -n 2

slow: setup-dev  ## the long tests too
	$(BIN)/python -m pytest -m "slow or not slow" -n 2

check: setup-dev  ## style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

setup: .venv/.core
setup-dev: .venv/.dev

# torch comes first and pinned: that pin is what finds the CPU build.
.venv/.core: constraints.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install torch==2.13.0
	$(PIP) install -e .
	touch $@

.venv/.dev: .venv/.core
	$(PIP) install -e '.[dev,bayes,inspect,lm-eval,serve]'
	touch $@

clean:
	rm -rf .venv runs
