# SPDX-License-Identifier: MIT
"""The demonstrations print the ten lines, and nothing else on standard output."""

import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TIME = r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] \[INFO\] "


def expected(host):
    return [
        f"[{host}]\tExporting ArrowSchema and ArrowArray #1 to C",
        f"[{host}]\tExporting ArrowSchema and ArrowArray #2 to C",
        f"[{host}]\tExporting ArrowSchema and ArrowArray #3 to C",
        f"[{host}]\tCalling Rust through C ffi now with 3 ArrowArrays",
        "[Rust]\tHello! Reading the ffi pointers now.",
        "[Rust]\tarray1: Int32[1, 2, 3, -4]",
        "[Rust]\tarray2: Int32[2, 3, 4, 5]",
        "[Rust]\tarray3: Int32[3, 4, 5, 6]",
        f"[{host}]\tHello, again! Successfully sent Arrow data to Rust.",
        f"[{host}]\tRust counted 3 arrays sent through ffi",
    ]


class TenLinesTest(unittest.TestCase):
    def check(self, host, *command):
        done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        for line in done.stdout.splitlines():
            self.assertRegex(line, f"^{TIME}")
        self.assertEqual([re.sub(f"^{TIME}", "", line) for line in done.stdout.splitlines()],
                         expected(host))

    def test_go_to_rust(self):
        self.check("Go", "./alloy")

    def test_cpp_to_rust(self):
        self.check("C++", "build/bin/hello_cpp")
