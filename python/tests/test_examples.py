# SPDX-License-Identifier: MIT
"""The programs of examples/python run, and print what their comments say."""

import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = sorted((ROOT / "examples/python").glob("*.py"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_program_prints_what_its_comments_say(program):
    done = subprocess.run([sys.executable, program], cwd=ROOT, text=True, capture_output=True,
                          timeout=600)
    assert done.returncode == 0, done.stderr
    promised = re.findall(r"^\s*print\(.*\)  # ([{\[].*)$", program.read_text(), re.M)
    assert promised, "a comment must show what the program prints"
    for line in promised:
        assert line in done.stdout.splitlines()
