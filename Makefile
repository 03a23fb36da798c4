# The first verbs: demo, test, check, format. Each sets everything up first.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test check format

# A uv that runs is used; otherwise one is installed into .uv/, which belongs to this folder alone.
UV := $(shell if uv --version >/dev/null 2>&1; then echo uv; else echo .uv/bin/uv; fi)
UV_NEEDED := $(filter .uv/bin/uv,$(UV))
BIN := .venv/bin
OUT ?= demo-out
ARGS ?=

help:
	@echo "make demo    dub a real film of several shots on this machine, verify it, log it to MLflow (OUT=$(OUT))"
	@echo "make test    run the test suite on the CPU (ARGS=... for pytest)"
	@echo "make check   format, lint, types, import layers, without changing a file"
	@echo "make format  put every file into the project's form"

setup: .venv/.ready

.uv/bin/uv:
	python3 -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.8"

.venv/.ready: pyproject.toml uv.lock | $(UV_NEEDED)
	UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --frozen
	touch $@

demo: setup
	$(BIN)/diff2lip demo --out $(OUT)

test: setup
	$(BIN)/python -m tests.parts $(ARGS)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
