# SPDX-License-Identifier: MIT
"""Runs the functions of both aggregate backends through the command line."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import pyarrow as pa
import pyarrow.ipc

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("ALLOY_BUILD", ROOT / "build"))
BACKENDS = ("aggregate_cpp", "aggregate_rust")
LIMIT = 120  # seconds


class Failed(Exception):
    """What the program says when a function fails."""


def plain(value):
    """A value that equals itself, whatever it is; doubles by their every bit."""
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
    """A test with a folder, in which batches lie as a stream and come out as one."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.here = pathlib.Path(folder.name)

    def write(self, batches, schema=None):
        """Batches, or a table, as an IPC file; then --batch-rows slices them."""
        if isinstance(batches, pa.Table):
            batches = batches.to_batches()
        schema = schema or batches[0].schema
        with pa.ipc.new_file(self.here / "in.arrow", schema) as writer:
            for batch in batches:
                writer.write_batch(batch)

    def write_stream(self, batches):
        """As an IPC stream, in which each batch may have a dictionary of its own."""
        with pa.ipc.new_stream(self.here / "in.arrows", batches[0].schema) as writer:
            for batch in batches:
                writer.write_batch(batch)

    def run_function(self, backend, function, options, *more):
        """What comes out, batch by batch. Raises Failed with what the program says."""
        source = "in.arrow" if (self.here / "in.arrow").exists() else "in.arrows"
        sets = [word for key, value in options.items() for word in ("--set", f"{key}={value}")]
        done = subprocess.run(
            [BUILD / "bin/arrowalloy", "run", BUILD / "backends" / f"{backend}.so", function,
             "--allow-unsigned", "-q", "-i", source, "-o", "out.arrows", *sets,
             *map(str, more)], cwd=self.here, capture_output=True, text=True, timeout=LIMIT)
        if done.returncode != 0:
            self.assertFalse((self.here / "out.arrows").exists())
            raise Failed(done.stderr)
        with open(self.here / "out.arrows", "rb") as source:
            table = pa.ipc.open_stream(source).read_all()
        (self.here / "out.arrows").unlink()
        table.validate(full=True)
        return table

    def run_both(self, function, options, *more):
        """The table that both backends make: the same types, rows, order and batches."""
        ours, theirs = (self.run_function(name, function, options, *more)
                        for name in BACKENDS)
        self.assertTrue(ours.schema.equals(theirs.schema, check_metadata=True),
                        f"{ours.schema}\n{theirs.schema}")
        self.assertEqual(rows(ours), rows(theirs))
        self.assertEqual([batch.num_rows for batch in ours.to_batches()],
                         [batch.num_rows for batch in theirs.to_batches()])
        return ours

    def refused(self, backend, function, options):
        """The text of the error."""
        with self.assertRaises(Failed) as caught:
            self.run_function(backend, function, options)
        return str(caught.exception)

    def refused_by_both(self, function, options, text):
        for name in BACKENDS:
            with self.subTest(backend=name, **options):
                self.assertIn(text, self.refused(name, function, options))
