# SPDX-License-Identifier: MIT
"""The programs of examples/python run, and print what their comments say."""

import pathlib
import re
import shlex
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


def test_the_commands_of_the_start_run():
    """Those that use the package. tests/packages installs the wheel into a bare venv."""
    page = (ROOT / "docs/python.md").read_text()
    commands = re.search(r"^## Start\n\n```sh\n(.*?)```", page, re.M | re.S)[1].splitlines()
    assert commands[:3] == ["make build-all wheel", "python3 -m venv venv",
                            "venv/bin/pip install dist/arrowalloy-*.whl pyarrow"]
    printed = []
    for command in commands[3:]:
        program, *arguments = shlex.split(command)
        assert program == "venv/bin/python"
        done = subprocess.run([sys.executable, *arguments], cwd=ROOT, text=True,
                              capture_output=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, ""), command
        printed.append(done.stdout)
    assert "belongs to: arrowalloy" in printed[0] and len(printed[1].splitlines()) == 10
    assert "15.0, 40.0, null" in printed[2]
