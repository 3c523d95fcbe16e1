# make demo    sets up .venv, makes a small glass and analyses it: demo/glass.results/report.html
# make test    sets up and passes the tests in two processes; make test-all runs the slow ones too
# make lint    format, lint, types, imports between rooms
# make bench   speed of the kernel; make bench-peers sets it beside other packages, and
#              make bench-engine the simulations beside plain LAMMPS
# make docs    the documentation, build/docs/index.html; warnings are errors
# make wheel   sdist and wheel in dist/
PYTHON ?= python3
BIN := .venv/bin
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadgroup
SOURCES := pyproject.toml CMakeLists.txt $(wildcard src/amorphace/*/*.cpp src/amorphace/*/*/*.[ch]pp)

.PHONY: env system demo test test-all test-peers lint format bench bench-engine bench-campaign bench-peers docs wheel clean

env: .venv/ready

.venv/ready: $(SOURCES)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[sim,test,lint]'
	touch $@

# The browser that the tests of the page drive: Debian's package, where it is missing.
system:
	@for name in chromium chromium-browser google-chrome; do \
	  command -v $$name >/dev/null && exit 0; \
	done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	    --no-install-recommends chromium >/dev/null; \
	else \
	  echo "Chromium is missing, which the tests of the page need; install it, for example with" >&2; \
	  echo "  sudo apt-get install chromium" >&2; \
	fi

demo: env
	mkdir -p demo && cp examples/demo.toml demo/glass.toml
	$(BIN)/amorphace run demo/glass.toml

test: env
	$(PYTEST)

test-all: env
	$(PYTEST) -m 'not peers'

.venv/peers: .venv/ready
	$(BIN)/python -m pip install --quiet --editable '.[peers]' && touch $@

test-peers: .venv/peers
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m peers

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

format: env
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: env
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/kernel.py

bench-engine: env
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/engine.py

bench-campaign: env
	$(BIN)/python benchmarks/campaign.py
	$(BIN)/python benchmarks/campaign.py --cluster
	$(BIN)/python benchmarks/campaign.py --scaling

.venv/bench: .venv/ready
	$(BIN)/python -m pip install --quiet --editable '.[bench]' && touch $@

bench-peers: .venv/bench
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/peers.py

.venv/docs: .venv/ready
	$(BIN)/python -m pip install --quiet --editable '.[docs]' && touch $@

docs: .venv/docs
	OMP_NUM_THREADS=1 $(BIN)/sphinx-build -W --keep-going -b html docs build/docs

.venv/build: .venv/ready
	$(BIN)/python -m pip install --quiet build && touch $@

wheel: .venv/build
	$(BIN)/python -m build

clean:
	rm -rf .venv build dist docs/_generated docs/reference/api
