# SPDX-License-Identifier: MIT
"""TPC-H Q1 and Q6 through the command line, Go and C++, against DuckDB's answer."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from lineitem import BUILD, QUERIES, duckdb_rows, lineitem, rows

SCALE = 0.01
LIMIT = 120  # seconds
BACKENDS = ("tpch_rust", "tpch_cpp")
# The suite tpch-isolated runs the same tests in worker processes.
MODE = ["--isolated"] if os.environ.get("ALLOY_TEST_ISOLATED") == "1" else []

READ = {"q1": {"l_quantity", "l_extendedprice", "l_discount", "l_tax", "l_returnflag",
               "l_linestatus", "l_shipdate"},
        "q6": {"l_quantity", "l_extendedprice", "l_discount", "l_shipdate"}}


def command_line(library, query, file):
    return (BUILD / "bin/arrowalloy", "run", library, query, "--allow-unsigned", *MODE, "-i",
            file, "-o")


def go(library, query, file):
    return BUILD / "bin/query_go", *MODE, library, query, file


def cpp(library, query, file):
    return BUILD / "bin/query_cpp", *MODE, library, query, file


PROGRAMS = (command_line, go, cpp)


def spoil(file, but):
    """The bytes of a Parquet file in which other columns than these cannot be read."""
    data = bytearray(file.read_bytes())
    metadata = pyarrow.parquet.read_metadata(file)
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            column = metadata.row_group(group).column(number)
            if column.path_in_schema in but:
                continue
            begin = column.dictionary_page_offset or column.data_page_offset
            end = begin + column.total_compressed_size
            data[begin:end] = b"\xff" * (end - begin)
    return data


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

    def expect_duckdbs_answer(self, program):
        for library, query in self.each():
            got = self.run_program(*program(library, query, self.file))
            self.assertEqual(got, self.wanted[query])

    def test_the_command_line_answers_what_duckdb_answers(self):
        self.expect_duckdbs_answer(command_line)

    def test_go_answers_what_duckdb_answers(self):
        self.expect_duckdbs_answer(go)

    def test_cpp_answers_what_duckdb_answers(self):
        self.expect_duckdbs_answer(cpp)

    def test_batches_of_any_size_give_the_same(self):
        for library, query in self.each():
            got = self.run_program(BUILD / "bin/arrowalloy", "run", library, query,
                                   "--allow-unsigned", *MODE, "--batch-rows", 777, "-i",
                                   self.file, "-o")
            self.assertEqual(got, self.wanted[query])

    def test_columns_that_a_function_does_not_declare_are_not_read(self):
        with tempfile.TemporaryDirectory() as folder:
            spoilt = pathlib.Path(folder) / "spoilt.parquet"
            for library, query in self.each():
                spoilt.write_bytes(spoil(self.file, READ[query]))
                with self.assertRaises((OSError, pa.ArrowInvalid)):
                    pyarrow.parquet.read_table(spoilt)
                for program in PROGRAMS:
                    got = self.run_program(*program(library, query, spoilt))
                    self.assertEqual(got, self.wanted[query], program)

    def test_what_a_program_cannot_answer_is_an_error(self):
        library = BUILD / "backends/tpch_cpp.so"
        narrow = pa.table({"l_quantity": pa.array([1.5])})
        with tempfile.TemporaryDirectory() as folder:
            other = pathlib.Path(folder) / "other.parquet"
            pyarrow.parquet.write_table(narrow, other)
            for program in ("query_cpp", "query_go"):
                for arguments, said in (((library, "q1", other), "l_extendedprice"),
                                        ((library, "q1", f"{other}.absent"), "absent"),
                                        ((library, "q7", other), "q7"),
                                        ((other, "q1", other), "other.parquet")):
                    with self.subTest(program=program, said=said):
                        done = subprocess.run(
                            [BUILD / "bin" / program, *MODE, *arguments, f"{folder}/out.arrow"],
                            capture_output=True, text=True, timeout=LIMIT)
                        self.assertEqual(done.returncode, 1)
                        self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
