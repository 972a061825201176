# SPDX-License-Identifier: MIT
"""The programs of examples/python/cluster run, and print what their comments say."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = sorted((ROOT / "examples/python/cluster").glob("*.py"))


def test_there_is_one_for_each_engine():
    assert [p.stem for p in PROGRAMS] == ["dask_frame", "ray_data", "spark_frame"]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_prints_what_it_says(program):
    said = re.findall(r"^\s*print\(.*\)  # (.+)$", program.read_text(), re.MULTILINE)
    done = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, cwd=ROOT, timeout=180,
        env={**os.environ, "PYSPARK_PYTHON": sys.executable})
    assert done.returncode == 0, done.stderr
    assert said and done.stdout.splitlines()[-len(said):] == said
