# Everything a contributor or a newcomer runs. Each target makes what it needs, says what it is doing, and is quick the second time.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:
.PHONY: help demo docs demo-bank demo-digits cluster cluster-down demo-cluster test test-fast lint format crds lock clean deps cluster-deps env-demo env-dev images

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
# A stamp carries the check sum of what it was made from, so a change of a pin makes the step run again and a checkout alone does not.
TOOLS := $(STAMPS)/tools-$(shell cat requirements/tools.txt | cksum | cut -d' ' -f1)
PACKAGE := $(STAMPS)/package-$(shell cat pyproject.toml requirements/tools.txt | cksum | cut -d' ' -f1)
DEMO := $(STAMPS)/demo-$(shell cat requirements/demo.txt | cksum | cut -d' ' -f1)
DEV := $(STAMPS)/dev-$(shell cat requirements/dev.txt | cksum | cut -d' ' -f1)

# Where it is set, every one of the tests' processes compiles all of Fedka again, and pytest its tests: 5 s a worker.
export PYTHONDONTWRITEBYTECODE :=

# The types of a checkout take a minute to check, and those of the next one that differs little a few seconds.
export MYPY_CACHE_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/fedka/mypy

# Byte code is compiled here, not at the first import: a round's first process would pay seconds for torch's.
INSTALL := $(BIN)/uv pip install --python $(BIN)/python --quiet --compile-bytecode
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock' $(UPGRADE)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

demo: env-demo deps ## federated learning over five hospitals on this machine, in under 5 minutes the first time
	@$(BIN)/python examples/hospital/demo.py

demo-bank: env-demo deps ## the same over four banks and card fraud
	@$(BIN)/python examples/bank/demo.py

demo-digits: env-demo deps ## the smallest app: three people, handwritten digits, 30 lines with scikit-learn
	@$(BIN)/fedka run examples/numpy-logistic/training.yaml

# A node of our own needs Debian's packages for it; kind brings its own, and a cluster elsewhere needs nothing here.
NEEDED_FOR_ := deps cluster-deps
NEEDED_FOR_kind := deps
cluster: env-dev $(NEEDED_FOR_$(FEDKA_CLUSTER)) ## a real Kubernetes with Kafka on this machine and Fedka on it, until make cluster-down
	@$(BIN)/python -m tests.cluster.keeper up

cluster-down: ## end it; what it was built from stays for the next
	@$(BIN)/python -m tests.cluster.keeper down

demo-cluster: ## the hospitals again, in pods on that cluster
	@$(BIN)/python -m tests.cluster.keeper demo

test: lint deps cluster-deps ## every check and every test, on a real Apache Kafka and a real Kubernetes
	@$(BIN)/python -m tests.cluster.keeper prepare
	@echo "Running all tests..."
	@$(BIN)/python -m pytest -n 3  # two cores, which three workers keep busy

test-fast: env-dev ## the tests that need neither Kafka nor Kubernetes and take no time: the loop to work in
	@$(BIN)/python -m pytest -n 2 -m "not kafka and not kubernetes and not cluster and not slow"

lint: env-dev ## style, types, layers, and whether the CRD is what the models say
	@echo "Checking style, types, layers and the CRD..."
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m fedka.api.crd --check

format: env-dev ## what can be put right by itself
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

docs: env-dev ## the documentation as a site, in build/docs/index.html; every warning is an error
	@$(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --quiet -d build/doctrees docs build/docs
	@echo "Read build/docs/index.html"

images: env-dev ## the container images as archives, where there is neither Docker nor a registry
	@$(BIN)/python -m tests.cluster.images

crds: env-dev ## write crds/ from the models
	@$(BIN)/python -m fedka.api.crd

lock: $(TOOLS) ## pin what pyproject.toml allows (UPGRADE=--upgrade for the newest of it)
	@$(COMPILE) requirements/tools.in -o requirements/tools.txt
	@$(COMPILE) pyproject.toml --extra local -o requirements/run.txt
	@$(COMPILE) pyproject.toml -c requirements/run.txt -o requirements/operator.txt
	@$(COMPILE) pyproject.toml --extra local --extra torch --group examples --group plots \
		-c requirements/run.txt -o requirements/demo.txt
	@$(COMPILE) pyproject.toml --extra local --extra torch --group examples --group plots --group dev \
		-c requirements/demo.txt -o requirements/dev.txt
	@$(COMPILE) pyproject.toml --extra torch requirements/participant.in -c requirements/demo.txt -o requirements/participant.txt
	@$(COMPILE) --group examples -c requirements/demo.txt -o examples/hospital/requirements.txt

clean: ## remove the virtual environment and all that the tools left in the tree
	rm -rf $(VENV) build dist .fedka .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find operator tests examples -name __pycache__ -prune -exec rm -rf {} +

deps:
	@.ci/deps

cluster-deps:
	@.ci/deps cluster

env-demo: $(DEMO) $(PACKAGE)

env-dev: $(DEV) $(PACKAGE)

$(TOOLS):
	@echo "Making the virtual environment $(VENV)..."
	@.ci/venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.txt
	@mkdir -p $(STAMPS) && rm -f $(STAMPS)/tools-* && touch $@

$(DEMO): | $(TOOLS)
	@echo "Installing torch and the other libraries (2 GB to download the first time, about 70 s)..."
	@$(INSTALL) --require-hashes -r requirements/demo.txt
	@rm -f $(STAMPS)/demo-* && touch $@

$(DEV): | $(DEMO)
	@echo "Installing the development tools..."
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@rm -f $(STAMPS)/dev-* && touch $@

$(PACKAGE): | $(TOOLS)
	@echo "Installing Fedka itself, editable..."
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@rm -f $(STAMPS)/package-* && touch $@
