# SPDX-License-Identifier: MIT
# The commands of the project; CMake, go and cargo do the work.

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export CARGO_TARGET_DIR := $(CURDIR)/build/cargo
# A clone that belongs to another user must build too: leave git out of it.
export GOFLAGS := $(GOFLAGS) -buildvcs=false
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

FLIGHTS := build/data/flights.csv.zip
# A tree configured before, perhaps with tests, stays as it is.
CONFIGURE := test -f build/build.ninja || cmake --preset release -DALLOY_TESTS=OFF >/dev/null
BUILD_GO := mkdir -p build/bin && go build -o alloy ./go/cmd/alloy && \
  go build -o build/bin/flights ./go/cmd/flights

.PHONY: help
help: ## Tell the targets
	@grep -hE '^[a-z][a-z-]*:.*##' Makefile | sed -E 's/:.*## ?/\t/' | \
	  while IFS=$$'\t' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

.PHONY: run
run: ## Go to Rust, C++ to Rust, then a real file of flights; installs what is missing
	@tools/setup run
	@$(CONFIGURE)
	@cmake --build build --target alloy_rust_backends hello_cpp
	@$(BUILD_GO)
	@./alloy
	@build/bin/hello_cpp
	@build/bin/flights $(FLIGHTS)

.PHONY: test
test: ## Every suite of every language, and tools/check
	@tools/setup test
	@tools/test

.PHONY: check
check: ## The rules alone: formats, linters, module walls, exports
	@tools/setup test
	@cmake --preset release -DALLOY_TESTS=ON >/dev/null
	@cmake --build build
	@tools/check

.PHONY: build-all
build-all: ## Everything: library, backends, examples, and ./alloy, the Go demonstration
	@tools/setup run arrow
	@$(CONFIGURE)
	@cmake build >/dev/null # Arrow C++ may have come since
	@cmake --build build
	@$(BUILD_GO)

.PHONY: bench
bench: ## What a call costs, beside the way people do it today
	@tools/setup bench
	@tools/bench

.PHONY: coverage
coverage: ## Which lines of the gate the tests reach, into build/coverage/src-data.txt
	@tools/setup test
	@tools/coverage

.PHONY: clean
clean: ## Remove what was built; keeps .venv and the downloaded data
	@find build -mindepth 1 -maxdepth 1 ! -name data -exec rm -rf {} + 2>/dev/null || true
	@rm -f alloy
