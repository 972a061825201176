# SPDX-License-Identifier: MIT
"""The suites: each builds what it needs, runs, and answers the counts of its own report."""

import os
import sys

from . import reports
from .runner import ROOT, Failed

BUILD = {"release": ROOT / "build", "asan": ROOT / "build/asan", "tsan": ROOT / "build/tsan"}


def build(log, preset):
    """Builds all of a preset, tests included; a second time costs next to nothing."""
    log.run("cmake", "--preset", preset, "-DALLOY_TESTS=ON")
    log.run("cmake", "--build", BUILD[preset])


def cpp(log, preset):
    build(log, preset)
    folder = BUILD[preset]
    for old in (folder / "reports").glob("*.xml"):
        old.unlink()
    junit = folder / "ctest.xml"
    junit.unlink(missing_ok=True)
    # GCC's ThreadSanitizer dies where addresses are randomised by 32 bits.
    still = ("setarch", "-R") if preset == "tsan" else ()
    log.run(*still, "ctest", "--preset", preset, "--output-junit", junit, "--timeout", "600",
            "--parallel", str(os.cpu_count()), may_fail=True)
    return reports.ctest(junit, folder / "reports")


# What runs in the test's own process. Those of go/engine build programs, which are the
# same under every mode.
GO_IN_PROCESS = ("./go/bridge", "./go/cdata")


def go(log, *flags, packages=GO_IN_PROCESS, env=None):
    build(log, "release")
    output = log.run("go", "test", "-json", "-count=1", *flags, *packages, env=env,
                     may_fail=True)
    count, text = reports.go(output.splitlines())
    log.path.write_text(text)  # for people
    return count


def rust(log):
    return reports.cargo(log.run(
        "cargo", "test", "--workspace", "--locked", "--no-fail-fast", may_fail=True))


# Where pyarrow is, also when this is run by hand.
PYTHON = ROOT / ".venv/bin/python3"


def python(log, folder):
    return reports.unittest(log.run(
        PYTHON if PYTHON.exists() else sys.executable, "-m", "unittest", "discover", "-v", "-s", ROOT / folder, "-t",
        ROOT / folder, may_fail=True))


def install(log):
    build(log, "release")
    return python(log, "tests/install")


def command_line(log):
    build(log, "release")
    return python(log, "tests/cli")


def aggregate(log):
    build(log, "release")
    return python(log, "tests/aggregate")


def tpch(log):
    build(log, "release")
    log.run("go", "build", "-o", ROOT / "build/bin/query_go", ".",
            cwd=ROOT / "tests/tpch/query_go")
    return python(log, "tests/tpch")


def examples(log):
    log.run("make", "build-all")
    return python(log, "tests/run")


def check(log):
    build(log, "release")
    return reports.checks(log.run(ROOT / "tools/check", may_fail=True))


# Name, what it is, how it runs. The first builds what the others use.
SUITES = (
    ("cpp-release", "C++ and C, as shipped", lambda log: cpp(log, "release")),
    ("cpp-asan", "the same, AddressSanitizer with leaks and UBSan",
     lambda log: cpp(log, "asan")),
    ("cpp-tsan", "the same, ThreadSanitizer", lambda log: cpp(log, "tsan")),
    ("rust", "the crate and the backends in Rust", rust),
    ("go", "the Go module", lambda log: go(log, packages=("./...",))),
    ("go-race", "the same, race detector", lambda log: go(log, "-race")),
    ("go-cgocheck2", "the same, every Go pointer in C memory caught",
     lambda log: go(log, env={"GOEXPERIMENT": "cgocheck2"})),
    # Of the tests alone: the compiler need not collect that often.
    ("go-gogc1", "the same, collecting all the time",
     lambda log: go(log, "-exec", "env GOGC=1")),
    ("examples", "what make run prints, the numbers against pyarrow", examples),
    ("install", "projects built against an installed Alloy", install),
    ("cli", "the command line, each command as a process", command_line),
    ("aggregate", "group_by, filter and scale in C++ beside Rust and pyarrow", aggregate),
    ("tpch", "TPC-H Q1 and Q6 on Parquet, against DuckDB", tpch),
    ("docs", "the documents show the code of the examples",
     lambda log: python(log, "tests/docs")),
    ("tools", "the rules of tools/check can fail, reports are read right",
     lambda log: python(log, "tests/tools")),
    ("check", "tools/check", check),
)

__all__ = ["SUITES", "Failed"]
