# SPDX-License-Identifier: MIT
"""The suites. Each builds what it needs, runs, and returns the result of each test."""

import dataclasses
import os
import sys
from collections.abc import Callable

from . import results
from .runner import ROOT, Failed

BUILD = {"release": ROOT / "build", "asan": ROOT / "build/asan", "tsan": ROOT / "build/tsan"}


def build(log, preset):
    """Builds all of a preset, tests included; a second time costs next to nothing.

    The benchmarks belong to it, so that no change can break them unseen.
    """
    log.run("cmake", "--preset", preset, "-DALLOY_TESTS=ON",
            *(["-DALLOY_BENCH=ON"] if preset == "release" else []))
    log.run("cmake", "--build", BUILD[preset])


# Bridges of the tests run each library in worker processes.
ISOLATED = {"ALLOY_TEST_ISOLATED": "1"}


def cpp(log, preset, *chosen, env=None, under=()):
    build(log, preset)
    folder = BUILD[preset]
    for old in (folder / "reports").glob("*.xml"):
        old.unlink()
    junit = folder / "ctest.xml"
    junit.unlink(missing_ok=True)
    # GCC's ThreadSanitizer dies where addresses are randomised by 32 bits.
    still = ("setarch", "-R") if preset == "tsan" else ()
    log.run(*under, *still, "ctest", "--preset", preset, "--output-junit", junit, "--timeout", "600",
            "--parallel", str(os.cpu_count()), *chosen, env=env, may_fail=True)
    return results.ctest(junit, folder / "reports")


def at_level(log, level):
    """The isolated mode where the kernel refuses some calls, in a shortened run."""
    return cpp(log, "release", "--label-regex", "^levels$",
               env={"ALLOY_TEST_LEVEL": level, "ALLOY_KILLS": "100", "ALLOY_HOST_KILLS": "5",
                    "ALLOY_LIES": "80"},
               under=(sys.executable, ROOT / "tests/support/refuse_calls.py", level))


def attacks_on_workers(log):
    """At level crash, where code that should not run can still leave a file that shows it."""
    return cpp(log, "release", "--label-regex", "^attacks$", env=ISOLATED,
               under=(sys.executable, ROOT / "tests/support/refuse_calls.py", "crash"))


# What runs in the test's own process. Those of go/engine build programs, which are the
# same under every mode.
GO_IN_PROCESS = (".", "./go/bridge", "./go/cdata", "./go/backend", "./ffi/rust",
                 "./examples/go/http")


def go(log, *flags, packages=GO_IN_PROCESS, env=None):
    build(log, "release")
    output = log.run("go", "test", "-json", "-count=1", *flags, *packages, env=env,
                     may_fail=True)
    found, text = results.go(output.splitlines())
    log.path.write_text(text)  # for people
    return found


def rust(log, *packages, env=None):
    # The Rust host is tested with the engine of this build and not with one of its own.
    log.run("cmake", "--preset", "release", "-DALLOY_TESTS=ON")
    log.run("cmake", "--build", BUILD["release"], "--target", "alloy", "alloy-worker",
            "alloy_faults", "test_crashes", "test_identity", "test_lie", "test_streams")
    engine = str(BUILD["release"] / "lib")
    return results.cargo(log.run(
        "cargo", "test", *(packages or ("--workspace",)), "--locked", "--no-fail-fast",
        may_fail=True,
        env={"ALLOY_LIB_DIR": engine, "LD_LIBRARY_PATH": engine, **(env or {})}))


# The Python that has pyarrow, also when somebody runs this by hand.
PYTHON = ROOT / ".venv/bin/python3"


def python(log, folder, *modules, env=None):
    return results.lines(log.run(
        PYTHON if PYTHON.exists() else sys.executable, ROOT / "tools/suites/run_unittest.py",
        ROOT / folder, *modules, env=env, may_fail=True))


def install(log):
    build(log, "release")
    return python(log, "tests/install")


def command_line(log, *modules, env=None):
    build(log, "release")
    return python(log, "tests/cli", *modules, env=env)


def aggregate(log, env=None):
    build(log, "release")
    return python(log, "tests/aggregate", env=env)


def tpch(log, env=None):
    build(log, "release")
    log.run("go", "build", "-o", ROOT / "build/bin/query_go", ".",
            cwd=ROOT / "examples/go/query")
    return python(log, "tests/tpch", env=env)


def unpack_flights(log):
    """The flights as the CSV file that the graph of Thund reads."""
    log.run("make", "build/data/flights.csv")


# Its own module, so that the dependencies of Thund stay out of the module of Alloy.
THUND = ROOT / "apps/thund"


def thund(log, *flags, env=None):
    log.run("cmake", "--preset", "release", "-DALLOY_TESTS=ON")
    log.run("cmake", "--build", BUILD["release"], "--target", "alloy_rust_query_backends",
            "far_cpp", "thund_faulty")
    unpack_flights(log)
    output = log.run("go", "test", "-json", "-count=1", *flags, "./...", cwd=THUND, env=env,
                     may_fail=True)
    found, text = results.go(output.splitlines())
    log.write(text)  # for people
    return found


def thund_and_duckdb(log):
    found = thund(log)
    log.run("go", "build", "-o", ROOT / "build/bin/thund", "./cmd/thund", cwd=THUND)
    return found + python(log, "apps/thund/tests")


def package(log):
    build(log, "release")
    log.run(ROOT / "tools/wheel")
    return installed(log, "venv", "tests", "-X", "dev")


def installed(log, venv, folder, *flags, seconds=None):
    """Runs tests against the wheel that is installed in a venv of build/python."""
    report = ROOT / f"build/python/{folder}.xml"
    report.unlink(missing_ok=True)
    # From another folder, so that nothing of the source tree is imported.
    log.run(*(("timeout", str(seconds)) if seconds else ()),
            ROOT / f"build/python/{venv}/bin/python", *flags, "-m", "pytest", "-q",
            "-p", "no:cacheprovider", f"--junit-xml={report}", ROOT / "python" / folder,
            env={"ALLOY_BUILD": str(BUILD["release"])}, cwd=ROOT / "build/python",
            may_fail=True)
    return results.pytest(report)


def cluster(log):
    log.run("cmake", "--preset", "release", "-DALLOY_TESTS=ON")
    log.run("cmake", "--build", BUILD["release"], "--target", "alloy-worker", "score_cpp",
            "test_crash", "test_marker", "test_streams", "test_tries", "thund_faulty",
            "alloy_rust_query_backends")
    log.run("go", "build", "-o", ROOT / "build/bin/thund", "./cmd/thund", cwd=THUND)
    log.run(ROOT / "tools/wheel")
    log.run(ROOT / "tools/cluster")
    return installed(log, "cluster", "tests_cluster", seconds=480)


def packages(log):
    log.run(ROOT / "tools/wheel")
    return python(log, "tests/packages")


def examples(log):
    log.run("make", "build-all")
    return python(log, "tests/run")


def documents(log):
    build(log, "release")
    return python(log, "tests/docs")


def check(log):
    build(log, "release")
    log.run(ROOT / "tools/wheel")  # clang-tidy checks what it compiles too
    return results.lines(log.run(ROOT / "tools/check", may_fail=True))


@dataclasses.dataclass(frozen=True)
class Suite:
    name: str
    what: str
    run: Callable
    # Suites of one family run the same tests in different modes.
    family: str = ""
    mode: str = ""


# The first builds what the others use.
SUITES = (
    Suite("cpp-release", "C++ and C, as shipped", lambda log: cpp(log, "release"),
          "C++", "release"),
    Suite("cpp-asan", "the same, with AddressSanitizer, leak checks and UBSan",
          lambda log: cpp(log, "asan"), "C++", "ASan+UBSan"),
    Suite("cpp-tsan", "the same where threads meet, with ThreadSanitizer", lambda log: cpp(log, "tsan"),
          "C++", "TSan"),
    Suite("cpp-isolated", "those that call backends, with each library in worker processes",
          lambda log: cpp(log, "release", "--label-regex", "^isolated$", env=ISOLATED),
          "C++", "isolated"),
    Suite("cpp-crash", "the isolated mode at level crash: no Landlock, no seccomp",
          lambda log: at_level(log, "crash"), "C++", "level crash"),
    Suite("cpp-docker", "the isolated mode under a seccomp profile like Docker's default",
          lambda log: at_level(log, "docker"), "C++", "Docker's profile"),
    Suite("attacks-isolated", "the attacks on trust, with each library in worker processes",
          attacks_on_workers, "C++", "attacks isolated"),
    Suite("rust", "the crate and the backends in Rust", rust, "Rust", "debug"),
    Suite("rust-isolated", "the Rust host, with each library in worker processes",
          lambda log: rust(log, "--package", "host_tests", env=ISOLATED), "Rust", "isolated"),
    Suite("go", "the Go module", lambda log: go(log, packages=("./...",)), "Go", "plain"),
    Suite("go-race", "the same, with the race detector", lambda log: go(log, "-race"),
          "Go", "race"),
    # GOGC only for the tests: the compiler need not collect that often.
    Suite("go-cgocheck2", "the same, with a check of each Go pointer in C memory, and a garbage"
          " collection at every chance",
          lambda log: go(log, "-exec", "env GOGC=1", env={"GOEXPERIMENT": "cgocheck2"}),
          "Go", "cgocheck2 and GOGC=1"),
    Suite("go-isolated", "the same, with each library in worker processes",
          lambda log: go(log, packages=(".", "./go/bridge"), env=ISOLATED), "Go", "isolated"),
    Suite("examples", "what make run prints; its numbers against pyarrow", examples),
    Suite("install", "projects that are built against an installed Alloy", install),
    Suite("cli", "the command line, each command as a process", command_line,
          "cli", "in process"),
    Suite("cli-isolated", "those that run a library, with --isolated",
          lambda log: command_line(log, "test_conformance", "test_run", "test_there_and_back",
                                   env=ISOLATED), "cli", "isolated"),
    Suite("aggregate", "group_by, filter and scale against pyarrow and plain Python", aggregate,
          "aggregate", "in process"),
    Suite("aggregate-isolated", "the same, with --isolated",
          lambda log: aggregate(log, ISOLATED), "aggregate", "isolated"),
    Suite("tpch", "TPC-H Q1 and Q6 on Parquet, against DuckDB", tpch, "tpch", "in process"),
    Suite("tpch-isolated", "the same, with each library in worker processes",
          lambda log: tpch(log, ISOLATED), "tpch", "isolated"),
    Suite("thund", "Thund: its graphs, crashes and signals; the flights against DuckDB",
          thund_and_duckdb, "Thund", "plain"),
    Suite("thund-race", "the same, with the race detector", lambda log: thund(log, "-race"),
          "Thund", "race"),
    Suite("python", "the Python package, installed from its wheel", package),
    Suite("packages", "the wheel: its tag, its parts, a venv without a compiler", packages),
    Suite("docs", "documents show the code of the examples; their commands run", documents),
    Suite("check", "the rules of tools/check", check),
    # Last, because it takes most time for what changes least.
    Suite("cluster", "a Stage on Ray, Spark and Dask, with processes and nodes", cluster),
)

__all__ = ["SUITES", "Failed"]
