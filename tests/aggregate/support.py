# SPDX-License-Identifier: MIT
"""Runs the functions of aggregate_rust through the command line."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import pyarrow as pa
import pyarrow.ipc

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("ALLOY_BUILD", ROOT / "build"))
BACKEND = BUILD / "backends/aggregate_rust.so"
LIMIT = 120  # seconds
# The suite aggregate-isolated runs the same tests in worker processes.
MODE = ["--isolated"] if os.environ.get("ALLOY_TEST_ISOLATED") == "1" else []


class Failed(Exception):
    """A function failed; the text is what the program printed."""


def plain(value):
    """A value that equals itself, also NaN; doubles are compared bit by bit."""
    if isinstance(value, float):
        return "nan" if value != value else value.hex()
    return value


def rows(table):
    """The rows as tuples, in their order."""
    return [tuple(map(plain, row)) for row in zip(*(
        table.column(i).to_pylist() for i in range(table.num_columns)))]


def in_any_order(these):
    return sorted(these, key=repr)


class AggregateTest(unittest.TestCase):
    """A test with a folder: the input is an IPC file there, and so is the result."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.here = pathlib.Path(folder.name)

    def write(self, batches, schema=None):
        """Write batches, or a table, as an IPC file, which --batch-rows can slice."""
        if isinstance(batches, pa.Table):
            batches = batches.to_batches()
        schema = schema or batches[0].schema
        with pa.ipc.new_file(self.here / "in.arrow", schema) as writer:
            for batch in batches:
                writer.write_batch(batch)

    def write_stream(self, batches):
        """Write an IPC stream, in which each batch may have its own dictionary."""
        with pa.ipc.new_stream(self.here / "in.arrows", batches[0].schema) as writer:
            for batch in batches:
                writer.write_batch(batch)

    def run_function(self, function, options, *more):
        """The result as a table. Raises Failed with what the program printed."""
        source = "in.arrow" if (self.here / "in.arrow").exists() else "in.arrows"
        sets = [word for key, value in options.items() for word in ("--set", f"{key}={value}")]
        done = subprocess.run(
            [BUILD / "bin/arrowalloy", "run", BACKEND, function,
             "--allow-unsigned", *MODE, "-q", "-i", source, "-o", "out.arrows", *sets,
             *map(str, more)], cwd=self.here, capture_output=True, text=True, timeout=LIMIT)
        if done.returncode != 0:
            self.assertFalse((self.here / "out.arrows").exists())
            raise Failed(done.stderr)
        with open(self.here / "out.arrows", "rb") as source:
            table = pa.ipc.open_stream(source).read_all()
        (self.here / "out.arrows").unlink()
        table.validate(full=True)
        return table

    def refused(self, function, options):
        """The text of the error."""
        with self.assertRaises(Failed) as caught:
            self.run_function(function, options)
        return str(caught.exception)

    def refused_with(self, function, options, text):
        with self.subTest(**options):
            self.assertIn(text, self.refused(function, options))
