# SPDX-License-Identifier: MIT
"""The tables of docs/boundary.md list the fault cases of the tests."""

import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class BoundaryTest(unittest.TestCase):
    def test_the_tables_are_those_of_the_cases(self):
        done = subprocess.run([sys.executable, ROOT / "tests/faults/boundary.py", "--check"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
