# SPDX-License-Identifier: MIT
"""The flights program and pyarrow compute the same numbers."""

import io
import json
import math
import os
import pathlib
import subprocess
import unittest
import zipfile

import pyarrow
import pyarrow.compute as pc
import pyarrow.csv

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "build" / "bin" / "flights"
DATA = ROOT / "build" / "data" / "flights.csv.zip"


def read_flights():
    with zipfile.ZipFile(DATA) as archive:
        content = archive.read("flights.csv")
    options = pyarrow.csv.ConvertOptions(null_values=["NA", ""], strings_can_be_null=True)
    return pyarrow.csv.read_csv(io.BytesIO(content), convert_options=options)


class FlightsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        said = subprocess.run([PROGRAM, "-json", DATA], check=True, capture_output=True,
                              timeout=120)
        cls.result = json.loads(said.stdout)
        cls.stderr = said.stderr
        cls.columns = {column["name"]: column for column in cls.result["columns"]}
        cls.table = read_flights()

    def test_every_column_and_every_row_is_there(self):
        self.assertEqual([column["name"] for column in self.result["columns"]],
                         self.table.column_names)
        self.assertEqual(self.result["rows"], 336_776)
        self.assertEqual(self.result["rows"], self.table.num_rows)
        self.assertEqual(self.result["records"], 6)
        for column in self.columns.values():
            self.assertEqual(column["rows"], self.table.num_rows, column["name"])

    def test_nulls_are_those_of_pyarrow(self):
        for name, column in self.columns.items():
            self.assertEqual(column["nulls"], self.table[name].null_count, name)
        self.assertGreater(self.columns["arr_delay"]["nulls"], 0)
        self.assertGreater(self.columns["tailnum"]["nulls"], 0)

    def test_least_and_greatest_and_sum_of_integers_are_exact(self):
        integers = 0
        for name, column in self.columns.items():
            if not pyarrow.types.is_integer(self.table[name].type):
                continue
            integers += 1
            ends = pc.min_max(self.table[name]).as_py()
            self.assertEqual(column["min"], ends["min"], name)
            self.assertEqual(column["max"], ends["max"], name)
            self.assertEqual(column["sum"], pc.sum(self.table[name]).as_py(), name)
            self.assertEqual(column["type"], "Int64", name)
        self.assertEqual(integers, 14)

    def test_means_are_equal_to_twelve_digits(self):
        for name, column in self.columns.items():
            if column["mean"] is not None:
                expected = pc.mean(self.table[name]).as_py()
                self.assertTrue(math.isclose(column["mean"], expected, rel_tol=1e-12), name)

    def test_strings_and_times_have_no_numbers(self):
        for name in ("carrier", "tailnum", "origin", "dest"):
            self.assertEqual(self.columns[name]["type"], "Utf8")
            self.assertIsNone(self.columns[name]["sum"], name)
        self.assertEqual(self.columns["time_hour"]["type"], "Timestamp(s, UTC)")
        self.assertIsNone(self.columns["time_hour"]["min"])

    def test_no_bar_where_there_is_no_terminal(self):
        self.assertEqual(self.stderr, b"")

    def test_a_bar_on_a_terminal(self):
        terminal, other = os.openpty()
        with subprocess.Popen([PROGRAM, DATA], stdout=subprocess.DEVNULL, stderr=other) as done:
            os.close(other)
            said = b""
            try:
                while part := os.read(terminal, 4096):
                    said += part
            except OSError:  # how Linux reports the end of a terminal
                pass
            os.close(terminal)
        self.assertEqual(done.returncode, 0)
        text = said.decode()
        self.assertIn("█ 100 %  336,776 rows", text)
        self.assertGreaterEqual(text.count("rows"), 6)
        self.assertTrue(text.endswith("\r\x1b[K"), "the bar is not taken away")

    def test_a_missing_file_names_the_command_that_gets_it(self):
        said = subprocess.run([PROGRAM, ROOT / "build" / "nothing.zip"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(said.returncode, 1)
        self.assertIn("tools/setup data", said.stderr)
        self.assertEqual(said.stdout, "")


if __name__ == "__main__":
    unittest.main()
