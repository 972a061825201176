# SPDX-License-Identifier: MIT
"""Type checkers agree with the package, and its stubs with the compiled module."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import alloy

PACKAGE = pathlib.Path(alloy.__file__).parent
HERE = pathlib.Path(__file__).parent
BUILD = pathlib.Path(os.environ["ALLOY_BUILD"])
CONFIG = HERE.parents[1] / "pyproject.toml"
PROGRAM = HERE / "typed_program.py"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("mypy")


def run(*arguments, env=None):
    done = subprocess.run([sys.executable, *arguments], text=True, timeout=300, env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def mypy(cache, *arguments):
    return run("-m", "mypy", "--config-file", CONFIG, "--cache-dir", cache, *arguments)


def test_mypy_finds_nothing_in_the_package(cache):
    files = [*PACKAGE.glob("*.py"), *PACKAGE.glob("*.pyi")]
    code, output = mypy(cache, "--package", "alloy")
    assert code == 0 and f"no issues found in {len(files)} source files" in output, output


def test_the_stubs_are_those_of_the_compiled_module():
    code, output = run("-m", "mypy.stubtest", "alloy._alloy")
    assert code == 0 and "no issues found in 1 module" in output, output


def test_a_program_of_a_user_has_the_types_that_it_expects(cache):
    code, output = mypy(cache, PROGRAM)
    assert code == 0, output
    code, output = run(PROGRAM, BUILD)
    assert code == 0, output


WRONG = {
    "alloy.opne('a.so')": "has no attribute",
    "alloy.open(1)": "incompatible type",
    "alloy.open('a.so', check_inputs='fast')": "incompatible type",
    "alloy.Bridge().echo(1).nothing": "has no attribute",
    "alloy.Bridge().echo.output(1).num_columns": "has no attribute",
    "alloy.Limits().grace = 1.0": "read-only",
    "alloy.Batch()[0]": "Invalid index type",
    "alloy.Batch().num_columns = 3": "read-only",
    "alloy.polars.exprs": "has no attribute",
    "alloy.polars.expr('score', 'x')": "incompatible type",
    "alloy.error_from(ValueError()).code": "has no attribute",
}


def test_mypy_finds_what_is_wrong(cache, tmp_path):
    program = tmp_path / "wrong.py"
    program.write_text("import alloy\n" + "".join(f"{line}\n" for line in WRONG))
    code, output = mypy(cache, program)
    found = dict(line.split(": error: ", 1) for line in output.splitlines()
                 if ": error: " in line)
    missing = [line for number, (line, text) in enumerate(WRONG.items(), 2)
               if text not in found.get(f"{program}:{number}", "")]
    assert (code, missing) == (1, []), output


def test_stubtest_finds_what_is_wrong(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "alloy")
    stubs = tmp_path / "alloy/_alloy.pyi"
    stubs.write_text(stubs.read_text().replace("def to_pylist(self)", "def to_list(self)"))
    code, output = run("-m", "mypy.stubtest", "alloy._alloy",
                       env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert code == 1
    assert "to_list is not present at runtime" in output, output
    assert "to_pylist is not present in stub" in output, output
