# make demo [EVENT=file.npy]   make examples   make test   make benchmark   make sanitize
#
# .venv holds everything from PyPI, build/ what was compiled; both are kept, and a second run builds
# only what changed.

PYTHON ?= python3
TORCH ?= torch==2.11.0
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= $(shell tools/jobs)
SOURCES := $(shell find csrc cmake -type f) CMakeLists.txt VERSION setup.py pyproject.toml
CPP_FILES := $(shell find csrc tests -name '*.cpp' -o -name '*.h' -o -name '*.cu' -o -name '*.cuh')

.DEFAULT_GOAL := help
.PHONY: help demo examples test benchmark sanitize lint cpp-test python-test library clean

help:
	@echo "make demo [EVENT=file.npy]  build, run on an event, write demo.png"
	@echo "make examples               train DGCNN on shapes and ParticleNet on jets (minutes)"
	@echo "make test                   every test, C++ and Python, format and lint checks"
	@echo "make sanitize               the C++ tests under AddressSanitizer and UBSan"
	@echo "make benchmark              search and layers beside their peers (five minutes)"
	@echo "make clean                  remove .venv and build"

demo: library
	$(BIN)/python examples/demo.py $(if $(EVENT),--event "$(EVENT)")

examples: library
	$(BIN)/python examples/classify_shapes.py
	$(BIN)/python examples/classify_jets.py

test: lint cpp-test python-test

# Environments. A stamp stands for a finished step; it is redone when its inputs change.
$(VENV)/base.stamp: pyproject.toml tools/check_system
	tools/check_system build $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q "setuptools<82" wheel "pybind11>=2.11" "cmake>=3.18" ninja "$(TORCH)" numpy
	@touch $@

$(VENV)/demo.stamp: $(VENV)/base.stamp
	$(BIN)/python -m pip install -q $$(tools/extra demo)
	@touch $@

$(VENV)/test.stamp: $(VENV)/base.stamp
	$(BIN)/python -m pip install -q $$(tools/extra test)
	@touch $@

# A peer that takes 20 minutes to build: from here if there is one for this Python and this torch.
# Its tests are skipped without it.
WHEELS ?= ../shared/wheels
$(VENV)/torch_cluster.stamp: $(VENV)/test.stamp
	{ $(BIN)/python -m pip install -q --no-deps --no-index --find-links "$(WHEELS)" torch_cluster && \
	  $(BIN)/python -c "import torch_cluster"; } 2>/dev/null || \
	  $(BIN)/python -m pip uninstall -q -y torch_cluster 2>/dev/null
	@touch $@

# The release after the one that is in the environment; tests put it first on their path.
$(VENV)/pyg28.stamp: $(VENV)/base.stamp
	$(BIN)/python -m pip install -q --no-deps --upgrade --target $(VENV)/pyg28 "torch_geometric==2.8.*"
	@touch $@

$(VENV)/library.stamp: $(VENV)/base.stamp $(SOURCES)
	HITGRAPH_BUILD_DIR=build/torch PATH="$(CURDIR)/$(BIN):$$PATH" \
	  $(BIN)/python -m pip install -q --no-build-isolation --no-deps -e .
	@touch $@

library: $(VENV)/library.stamp $(VENV)/demo.stamp

# Checks.
lint: $(VENV)/test.stamp
	tools/check_system test $(PYTHON)
	clang-format --dry-run -Werror $(CPP_FILES)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

cpp-test: $(VENV)/test.stamp
	$(BIN)/cmake -S . -B build/core -GNinja -DCMAKE_MAKE_PROGRAM="$(CURDIR)/$(BIN)/ninja" -DHITGRAPH_TESTS=ON -DHITGRAPH_CUDA=OFF
	$(BIN)/cmake --build build/core -j$(JOBS)
	cd build/core && "$(CURDIR)/$(BIN)/ctest" --output-on-failure -j$(JOBS)

python-test: library $(VENV)/test.stamp $(VENV)/torch_cluster.stamp $(VENV)/pyg28.stamp
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest

sanitize: $(VENV)/base.stamp
	tools/check_system test $(PYTHON)
	$(BIN)/cmake -S . -B build/sanitize -GNinja -DCMAKE_MAKE_PROGRAM="$(CURDIR)/$(BIN)/ninja" \
	  -DHITGRAPH_TESTS=ON -DHITGRAPH_SANITIZE=ON -DHITGRAPH_CUDA=OFF
	$(BIN)/cmake --build build/sanitize -j$(JOBS)
	cd build/sanitize && "$(CURDIR)/$(BIN)/ctest" --output-on-failure -j$(JOBS)

$(VENV)/bench.stamp: $(VENV)/base.stamp
	$(BIN)/python -m pip install -q $$(tools/extra bench)
	@touch $@

benchmark: library $(VENV)/bench.stamp $(VENV)/torch_cluster.stamp
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build
