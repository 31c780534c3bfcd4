# make demo, make test, make lint, make train-small: all a newcomer has to know.
# PYTHON picks the interpreter (3.10 or newer); ARGS is passed on to pytest or phiz train.

PYTHON ?= python3
ARGS ?=

# A demo needs the package as users get it; development needs it editable, with every test's libraries.
BASE := .venv/bin
DEV := .venv-dev/bin
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
SOURCES := $(shell find src/phiz -type f ! -name '*.pyc')

.PHONY: help demo test test-web serve lint train-small clean
.DELETE_ON_ERROR:

help:
	@echo "make demo         install the base into .venv and analyse the bundled photo"
	@echo "make test         install the development tools into .venv-dev and run the tests"
	@echo "make test-web     drive the page in a real Chromium, where one is installed"
	@echo "make serve        open the page and the HTTP service on 127.0.0.1:8000"
	@echo "make lint         ruff and mypy"
	@echo "make train-small  train a small model as recipes/multitask-utkface-small.toml says"
	@echo "make clean        remove both environments and what was built"

demo: .venv/installed
	@$(BASE)/phiz analyze src/phiz/data/astronaut.jpg --annotate demo-output
	@echo "Annotated picture: demo-output/astronaut.annotated.jpg"

test: .venv-dev/installed
	@$(DEV)/python -m pytest $(ARGS)

test-web: .venv-dev/installed
	@$(DEV)/python -m pytest -m browser tests/web $(ARGS)

serve: .venv-dev/installed
	@$(DEV)/phiz serve $(ARGS)

lint: .venv-dev/installed
	@$(DEV)/ruff check .
	@$(DEV)/ruff format --check .
	@$(DEV)/mypy

train-small: .venv-dev/installed
	@$(DEV)/phiz train recipes/multitask-utkface-small.toml $(ARGS)

clean:
	rm -rf .venv .venv-dev build demo-output

# build/ is removed because setuptools would pack files that src/ no longer has.
.venv/installed: pyproject.toml $(SOURCES)
	@echo "Installing phiz into .venv ..."
	@rm -rf build
	@$(PYTHON) -m venv .venv
	@$(BASE)/python $(PIP_INSTALL) --upgrade .
	@touch $@

.venv-dev/installed: pyproject.toml
	@echo "Installing phiz and its development tools into .venv-dev (with PyTorch; this takes minutes) ..."
	@$(PYTHON) -m venv .venv-dev
	@$(DEV)/python $(PIP_INSTALL) --editable ".[train,eval,scale,serve,stream,postgres,dev]"
	@touch $@
