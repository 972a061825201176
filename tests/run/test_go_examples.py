# SPDX-License-Identifier: MIT
"""The Go programs in the documents run."""

import io
import pathlib
import subprocess
import unittest

import pyarrow
import pyarrow.ipc

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
        self.assertEqual(lines[-1], "arrays that Rust counted: 1")

    def test_the_first_program_of_the_original_runs_the_built_in_echo(self):
        done = run("program1")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 10)
        self.assertIn("[C++]\tarray3: Int32[3, 4, 5, 6]", lines[7])
        self.assertTrue(lines[9].endswith("[Go]\tRust counted 3 arrays sent through ffi"))

    def test_the_second_program_of_the_original_prints_the_load_that_failed(self):
        done = run("program2")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("MyCoolRustLib.a", done.stdout)
        self.assertNotIn("counted", done.stdout)

    def test_the_stream_of_the_readme_is_a_filter(self):
        points = pyarrow.table({"x": [3.0, None, 8.0], "y": [4.0, 1.0, 6.0]})
        bytes_in = io.BytesIO()
        with pyarrow.ipc.new_stream(bytes_in, points.schema) as writer:
            for _ in range(3):
                writer.write_table(points)
        program = ["go", "run", "./examples/go/stream"]
        done = subprocess.run(program, cwd=ROOT, input=bytes_in.getvalue(),
                              capture_output=True, timeout=600)
        self.assertEqual(done.returncode, 0, done.stderr)
        table = pyarrow.ipc.open_stream(done.stdout).read_all()
        self.assertEqual(table.to_pydict(), {"distance": [5.0, None, 10.0] * 3})
        broken = subprocess.run(program, cwd=ROOT, input=bytes_in.getvalue()[:-100],
                                capture_output=True, timeout=600)
        self.assertNotEqual(broken.returncode, 0)
        self.assertIn(b"Arrow IPC stream: batch 2, in the message that begins at byte",
                      broken.stderr)


if __name__ == "__main__":
    unittest.main()
