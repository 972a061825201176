# SPDX-License-Identifier: MIT
"""The Go programs of the documents run as they stand."""

import pathlib
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def run(program):
    return subprocess.run(["go", "run", f"./examples/go/{program}"], cwd=ROOT, text=True,
                          capture_output=True, timeout=600)


class GoExamplesTest(unittest.TestCase):
    def test_the_host_of_the_readme_calls_rust(self):
        done = run("first")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertIn("[Rust]\tarray1: Int32[1, 2, 3, -4]", lines[3])
        self.assertEqual(lines[-1], "1 <nil>")

    def test_the_first_program_of_the_original_runs_the_built_in_echo(self):
        done = run("program1")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 10)
        self.assertIn("[C++]\tarray3: Int32[3, 4, 5, 6]", lines[7])
        self.assertTrue(lines[9].endswith("[Go]\tRust counted 3 arrays sent through ffi"))

    def test_the_second_program_of_the_original_tells_the_load_that_failed(self):
        done = run("program2")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("MyCoolRustLib.a", done.stdout)
        self.assertNotIn("counted", done.stdout)


if __name__ == "__main__":
    unittest.main()
