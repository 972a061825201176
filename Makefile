# SPDX-License-Identifier: MIT
# The commands of the project. CMake, go and cargo do the work.

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export CARGO_TARGET_DIR := $(CURDIR)/build/cargo
# A clone that belongs to another user must build too, so go does not ask git.
export GOFLAGS := $(GOFLAGS) -buildvcs=false
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

FLIGHTS := build/data/flights.csv.zip
# An existing build tree keeps its options; it may have tests.
CONFIGURE := test -f build/build.ninja || cmake --preset release -DALLOY_TESTS=OFF >/dev/null
# -v: go prints the name of each package, so that a long compilation does not look dead.
BUILD_GO := mkdir -p build/bin && go build -v -o
STEP := @printf '\n== %s\n'

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z][a-z0-9-]*:.*##' Makefile | sed -E 's/:.*## ?/\t/' | \
	  while IFS=$$'\t' read -r name text; do printf '  make %-11s %s\n' "$$name" "$$text"; done

# The ten lines come first: Go, the engine and one Rust backend are enough for them.
.PHONY: run
run: ## Call Rust from Go and C++, then send a file of flights through Rust; installs what is missing
	@tools/setup run
	$(STEP) "1 of 3: build the engine, a Go host and a Rust backend"
	@$(CONFIGURE)
	@cmake --build build --target alloy_rust_echo
	@$(BUILD_GO) alloy ./examples/go/alloy
	@./alloy
	$(STEP) "2 of 3: build the same host in C++"
	@cmake --build build --target hello_cpp
	@build/bin/hello_cpp
	$(STEP) "3 of 3: build a backend on arrow-rs, and summarise 336,776 flights with it"
	@cmake --build build --target alloy_rust_summary
	@$(BUILD_GO) build/bin/flights ./examples/go/flights
	@build/bin/flights $(FLIGHTS)

.PHONY: test
test: ## Run every suite of every language, and tools/check
	@tools/setup test
	@tools/test

.PHONY: check
check: ## Run only the rules: formats, linters, module walls, exports
	@tools/setup test
	@cmake --preset release -DALLOY_TESTS=ON >/dev/null
	@cmake --build build
	@tools/check

.PHONY: build-all
build-all: ## Build everything: library, backends, examples, and ./alloy, the Go demonstration
	@tools/setup run arrow
	@$(CONFIGURE)
	@cmake build >/dev/null # Arrow C++ may have been installed since
	@cmake --build build
	@$(BUILD_GO) alloy ./examples/go/alloy
	@$(BUILD_GO) build/bin/flights ./examples/go/flights

$(FLIGHTS):
	@tools/setup data

# The names of files in an archive have no date of their own here.
build/data/flights.csv: $(FLIGHTS)
	@python3 -m zipfile -e $< $(@D)
	@touch $@

# On a terminal, the page of the run stays until Ctrl-C, so that there is time to look at it.
# Without one, the run takes any free port, and make goes on after it.
THUND_LISTEN ?= 127.0.0.1:9464

.PHONY: thund
thund: build/data/flights.csv ## Build Thund, the DAG executor, run the flights, and show where its page is
	@tools/setup run
	@$(CONFIGURE)
	@cmake --build build --target alloy_rust_query_backends far_cpp
	@mkdir -p build/bin && go -C apps/thund build -v -o $(CURDIR)/build/bin/thund ./cmd/thund
	$(STEP) "Check the graph: apps/thund/examples/flights.toml"
	@build/bin/thund validate apps/thund/examples/flights.toml
	$(STEP) "Run it; what it writes is in build/thund"
	@if [ -t 0 ] && [ -t 1 ]; then set -- $(THUND_LISTEN) --stay; else set -- 127.0.0.1:0; fi; \
	build/bin/thund run apps/thund/examples/flights.toml --listen "$$@"

.PHONY: wheel
wheel: ## Build the Python package, dist/*.whl, and install it into build/python/venv
	@tools/setup wheel
	@tools/wheel

.PHONY: deb
deb: ## Build three Debian packages, dist/*.deb; sudo tools/prove-debs installs and uses them
	@tools/setup run
	@tools/deb

.PHONY: dist
dist: wheel deb ## Build all packages in dist/, the lists of their parts, and SHA256SUMS, signed
	@tools/sdist
	@tools/sums

.PHONY: arm64
arm64: ## Compile for arm64; run engine tests and the ten lines by qemu-user
	@tools/setup arm64
	@tools/arm64

.PHONY: wheel-arm64
wheel-arm64: wheel ## Compile the Python package for arm64, dist/arm64/*.whl, and run it by qemu-user
	@tools/setup arm64
	@tools/arm64-wheel

.PHONY: bench
bench: ## Measure calls and loads next to the way people do it today; builds benchmarks only
	@tools/setup bench
	@tools/bench

.PHONY: coverage
coverage: ## List the lines of the gate that no test reaches, in build/coverage/src-gate.txt
	@tools/setup test
	@tools/coverage

.PHONY: clean
clean: ## Remove what was built; keep .venv and the downloaded data
	@find build -mindepth 1 -maxdepth 1 ! -name data -exec rm -rf {} + 2>/dev/null || true
	@rm -f alloy
