# make demo    sets up .venv, makes a small glass and analyses it: demo/glass.results/report.html
# make test    sets up and passes the tests in two processes; make test-all runs the slow ones too
# make test-gpu     the tests of the batch engine on a GPU (GPU=cuda:1 for another)
# make coverage     the default tests, and which lines of the package they run
# make test-oldest  the default tests with the oldest libraries that pyproject.toml allows
# make test-wheel   builds a wheel of the sdist by the first of PYTHONS and tests it, away from the
#                   tree, under each of them
# make lint    format, lint, types, imports between rooms
# make bench   processor time of each part, kept in benchmarks/history; make bench-kernel looks into
#              the kernel, bench-peers sets it beside other packages, bench-engine the simulations
#              beside plain LAMMPS, and bench-campaign runs many units
# make docs    the documentation, build/docs/index.html; warnings are errors
# make models  the models that come with the package, from ../shared/data and finished experiments
# make results  docs/results, the README's table and picture, from what is kept of each case
# make wheel   sdist and wheel in dist/; Python 3.12 or later makes one wheel for all later ones
PYTHON ?= python3
BIN := .venv/bin
DEVICE ?= cpu
SIZES ?= 1x500,8x500,1x2000,4x2000
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadgroup
SOURCES := pyproject.toml CMakeLists.txt $(wildcard src/amorphace/*/*.cpp src/amorphace/*/*/*.[ch]pp)

.PHONY: env system demo test coverage test-oldest test-wheel test-all test-gpu test-peers lint format \
  bench bench-kernel bench-engine bench-minimisers bench-campaign bench-peers docs models results \
  wheel clean

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

coverage: env
	$(BIN)/python -m pip install --quiet 'pytest-cov>=6'
	$(PYTEST) --cov --cov-report=term

# Libraries that these need in turn may be new, and warn of the age of the others.
test-oldest: env
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/oldest
	$(BIN)/uv pip install --quiet --python build/oldest/bin/python --resolution lowest-direct \
	  --editable '.[sim,test]'
	OMP_NUM_THREADS=1 build/oldest/bin/python -m pytest -n 2 --dist loadgroup \
	  -W ignore::DeprecationWarning

PYTHONS ?= python3.12 python3.13
test-wheel: wheel
	rm -rf build/wheels
	set -e; for python in $(PYTHONS); do \
	  rm -rf build/installed; $$python -m venv build/installed; \
	  test -d build/wheels || build/installed/bin/python -m pip wheel --quiet --no-deps \
	    --wheel-dir build/wheels dist/*.tar.gz; \
	  build/installed/bin/python -m pip install --quiet "$$(ls build/wheels/*.whl)[sim,test]"; \
	  cp -r tests pyproject.toml build/installed; cd build/installed; \
	  OMP_NUM_THREADS=1 bin/python -m pytest -n 2 --dist loadgroup tests; cd ../..; \
	done

test-all: env
	$(PYTEST) -m 'not peers'

.venv/peers: .venv/ready
	$(BIN)/python -m pip install --quiet --editable '.[peers]' && touch $@

test-gpu: env
	AMORPHACE_DEVICE=$(or $(GPU),cuda) $(BIN)/python -m pytest -q tests/test_batch_*.py

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

.venv/history: .venv/ready
	$(BIN)/python -m pip install --quiet 'pytest-benchmark>=5' && touch $@

bench: .venv/history
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest benchmarks -o addopts= \
	  --benchmark-timer=time.process_time --benchmark-columns=min,median,rounds \
	  --benchmark-storage=file://benchmarks/history \
	  --benchmark-save=$$($(BIN)/python -c 'import amorphace; print(amorphace.__version__)')

bench-kernel: env
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/kernel.py

bench-engine: env
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/engine.py
	$(BIN)/amorphace bench-engine --device $(DEVICE) --sizes $(SIZES) \
	  --output benchmarks/results/batch.json

bench-minimisers: env
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/minimisers.py

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

EXPERIMENTS ?= out/results
models: env
	OMP_NUM_THREADS=1 $(BIN)/python examples/models.py --experiments $(EXPERIMENTS)

results: env
	OMP_NUM_THREADS=1 $(BIN)/python examples/results.py
	OMP_NUM_THREADS=1 $(BIN)/python examples/choices.py
	OMP_NUM_THREADS=1 $(BIN)/python examples/baselines.py

.venv/build: .venv/ready
	$(BIN)/python -m pip install --quiet build && touch $@

wheel: .venv/build
	$(BIN)/python -m build

clean:
	rm -rf .venv build dist docs/_generated docs/reference/api
