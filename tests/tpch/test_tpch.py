# SPDX-License-Identifier: MIT
"""TPC-H Q1 and Q6 through the command line and Go, against DuckDB's answer."""

import pathlib
import subprocess
import tempfile
import unittest

import pyarrow as pa
import pyarrow.ipc

from lineitem import BUILD, QUERIES, duckdb_rows, lineitem, rows

SCALE = 0.01
LIMIT = 120  # seconds
BACKENDS = ("tpch_rust",)


class TpchTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.file = lineitem(SCALE)
        cls.wanted = {query: duckdb_rows(query, cls.file) for query in QUERIES}

    def each(self):
        for backend in BACKENDS:
            for query in QUERIES:
                with self.subTest(backend=backend, query=query):
                    yield BUILD / "backends" / f"{backend}.so", query

    def run_program(self, *command):
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "out.arrow"
            done = subprocess.run([*map(str, command), str(out)], capture_output=True,
                                  text=True, timeout=LIMIT)
            self.assertEqual(done.returncode, 0, done.stderr)
            with pa.OSFile(str(out)) as source:
                return rows(pa.ipc.open_file(source).read_all())

    def test_duckdb_finds_rows(self):
        self.assertEqual(len(self.wanted["q1"]), 4)
        self.assertEqual(len(self.wanted["q6"]), 1)

    def test_the_command_line_answers_what_duckdb_answers(self):
        for library, query in self.each():
            got = self.run_program(BUILD / "bin/arrowalloy", "run", library, query,
                                   "--allow-unsigned", "-i", self.file, "-o")
            self.assertEqual(got, self.wanted[query])

    def test_batches_of_any_size_give_the_same(self):
        for library, query in self.each():
            got = self.run_program(BUILD / "bin/arrowalloy", "run", library, query,
                                   "--allow-unsigned", "--batch-rows", 777, "-i",
                                   self.file, "-o")
            self.assertEqual(got, self.wanted[query])

    def test_go_answers_what_duckdb_answers(self):
        for library, query in self.each():
            got = self.run_program(BUILD / "bin/query_go", library, query, self.file)
            self.assertEqual(got, self.wanted[query])


if __name__ == "__main__":
    unittest.main()
