# make demo, make test, make lint, make train-small: all a newcomer has to know.
# PYTHON picks the interpreter (3.10 or newer); ARGS is passed on to pytest or phiz train.

PYTHON ?= python3
ARGS ?=

# A demo needs the package as users get it; development needs it editable, with every test's libraries.
BASE := .venv/bin
DEV := .venv-dev/bin
NEWEST := .venv-newest/bin
EXTRAS := train eval scale serve stream signal postgres dev
MINIMA := .venv-minima/bin
MINIMA_EXTRAS ?= eval serve stream signal postgres dev
# Tests that reach every library of the base and of these extras.
SMOKE ?= $(addprefix tests/, test_import.py test_analyzer.py image models/test_session.py cli/test_commands.py \
	cli/test_analyze_command.py cli/test_watch_command.py audience/test_audience_command.py \
	audience/test_audience_postgres.py audience/test_targets.py evaluation/test_metrics.py evaluation/test_html.py datasets/test_readers.py \
	datasets/test_matlab_readers.py stream/test_frame_files.py stream/test_stream_output.py \
	$(addprefix serve/test_service_, access.py analyze.py client.py files.py live.py stream.py))
comma := ,
DEVELOPED := --editable ".[$(subst $() ,$(comma),$(EXTRAS))]"
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
SOURCES := $(shell find src/phiz -type f ! -name '*.pyc')

.PHONY: help demo test test-wheel test-newest test-minima test-web serve lint train-small lock clean
.DELETE_ON_ERROR:

help:
	@echo "make demo         install the base into .venv and analyse the bundled photo"
	@echo "make test         install the development tools into .venv-dev and run the tests"
	@echo "make test-wheel   build the wheel and analyse a photo with it in an empty environment"
	@echo "make test-newest  the same with the newest versions of all libraries, in .venv-newest; may fail"
	@echo "make test-minima  what tells whether the oldest allowed versions work, in .venv-minima"
	@echo "make test-web     drive the page in a real Chromium, where one is installed"
	@echo "make serve        open the page and the HTTP service on 127.0.0.1:8000"
	@echo "make lint         ruff and mypy"
	@echo "make train-small  train a small model as recipes/multitask-utkface-small.toml says"
	@echo "make lock         write requirements-dev.lock again; ARGS=--upgrade takes the newest versions"
	@echo "make clean        remove the environments and what was built"

demo: .venv/installed
	@$(BASE)/phiz analyze src/phiz/data/astronaut.jpg --annotate demo-output
	@echo "Annotated picture: demo-output/astronaut.annotated.jpg"

test: .venv-dev/installed
	@$(DEV)/python -m pytest $(ARGS)

test-wheel: .venv-dev/installed
	@$(DEV)/python -m pytest -m wheel tests/test_wheel.py $(ARGS)

# Outside .ci/run: what others released today must not stop a change from landing.
test-newest:
	@$(PYTHON) -m venv .venv-newest
	@$(NEWEST)/python $(PIP_INSTALL) --upgrade --upgrade-strategy eager $(DEVELOPED)
	@$(NEWEST)/python -m pytest $(ARGS)

# uv can be asked for the lowest versions that pyproject.toml allows; what these bring along is of the day. Training,
# Ray and FAN are left out, with their gigabytes: MINIMA_EXTRAS="... train" adds them.
test-minima:
	@$(PYTHON) -m venv --clear .venv-minima
	@$(MINIMA)/python $(PIP_INSTALL) uv
	@$(MINIMA)/uv pip install --quiet --python $(MINIMA)/python --resolution lowest-direct \
		--editable ".[$(subst $() ,$(comma),$(MINIMA_EXTRAS))]"
	@$(MINIMA)/python -m pytest -W ignore::DeprecationWarning -W ignore::PendingDeprecationWarning $(SMOKE) $(ARGS)

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

# One file for every system and Python from 3.10 on. Versions that it already has stay, unless ARGS=--upgrade.
lock:
	@$(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/python $(PIP_INSTALL) --upgrade uv
	@.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.10 --no-annotate \
		--custom-compile-command "make lock" $(addprefix --extra ,$(EXTRAS)) $(ARGS) \
		--output-file requirements-dev.lock pyproject.toml

clean:
	rm -rf .venv .venv-dev .venv-newest .venv-minima .venv-lock build demo-output

# build/ is removed because setuptools would pack files that src/ no longer has.
.venv/installed: pyproject.toml $(SOURCES)
	@echo "Installing phiz into .venv ..."
	@rm -rf build
	@$(PYTHON) -m venv .venv
	@$(BASE)/python $(PIP_INSTALL) --upgrade .
	@touch $@

# The lock only says which version of a library is taken, so a CPU build of PyTorch brings no CUDA with it.
.venv-dev/installed: pyproject.toml requirements-dev.lock
	@echo "Installing phiz and its development tools into .venv-dev (with PyTorch; this takes minutes) ..."
	@$(PYTHON) -m venv .venv-dev
	@$(DEV)/python $(PIP_INSTALL) --constraint requirements-dev.lock $(DEVELOPED)
	@touch $@
