# SPDX-License-Identifier: MIT
"""Runs the program as a process, in a folder of its own."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("ALLOY_BUILD", ROOT / "build"))
PROGRAM = BUILD / "bin/arrowalloy"
LIMIT = 60  # seconds; enough for any command that does not wait
# The suite cli-isolated runs the tests of `run` and `test` with each library in worker
# processes.
MODE = ["--isolated"] if os.environ.get("ALLOY_TEST_ISOLATED") == "1" else []


def in_mode(*arguments):
    """The words of a command line, if there are any, in the mode of the tests."""
    words = [str(argument) for argument in arguments]
    return words[:1] + (MODE if words[:1] in (["run"], ["test"]) else []) + words[1:]


class Done:
    """How a process ended."""

    def __init__(self, process):
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr

    def json(self):
        """The one object on standard output."""
        lines = self.out.splitlines()
        if len(lines) != 1:
            raise AssertionError(f"not one line of JSON: {self.out!r}, {self.err!r}")
        return json.loads(lines[0])


class CommandTest(unittest.TestCase):
    """A test that has a folder, `self.here`, and the program."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.here = pathlib.Path(folder.name)

    def arrowalloy(self, *arguments, env=None, stdin=None, limit=LIMIT):
        environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
        return Done(subprocess.run(
            [PROGRAM, *in_mode(*arguments)], cwd=self.here, text=True, errors="replace",
            capture_output=True, timeout=limit, env={**environment, **(env or {})},
            input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL))

    def succeed(self, *arguments, **more):
        done = self.arrowalloy(*arguments, **more)
        self.assertEqual(done.code, 0, f"{arguments}\n{done.out}\n{done.err}")
        return done

    def refuse(self, code, number, *arguments, **more):
        """The command ends with this exit code and this error number, and a next step."""
        done = self.arrowalloy(*arguments, **more)
        self.assertEqual(done.code, code, f"{arguments}\n{done.out}\n{done.err}")
        self.assertIn(f"error[{number}]: ", done.err)
        self.assertRegex(done.err, r"(?m)^help: \S")
        return done


def openssl(*arguments, stdin=None, binary=False):
    """Runs openssl and returns its standard output."""
    done = subprocess.run(["openssl", *map(str, arguments)], input=stdin,
                          capture_output=True, timeout=LIMIT)
    if done.returncode != 0:
        raise AssertionError(f"openssl {arguments}: {done.stderr.decode()}")
    return done.stdout if binary else done.stdout.decode()
