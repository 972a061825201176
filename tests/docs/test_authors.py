# SPDX-License-Identifier: MIT
"""The commands of docs/authors.md run, and print what the page promises."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```sh ?(\w*)\n(.*?)^```\n", re.M | re.S)
LIMIT = 600  # seconds; a machine may be busy


class AuthorsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        found = BLOCK.findall((ROOT / "docs/authors.md").read_text())
        cls.plain = [code for name, code in found if not name]
        cls.named = {name: code for name, code in found if name}
        # The commands name build/authors, below the root of the repository: a copy of it by
        # links has a build/authors of its own.
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.here = pathlib.Path(folder.name)
        for name in ("include", "examples", "cmake", "go", "go.mod", "go.sum"):
            (cls.here / name).symlink_to(ROOT / name)
        (cls.here / "build/authors").mkdir(parents=True)
        (cls.here / "build/bin").symlink_to(ROOT / "build/bin")
        cls.printed = [cls.sh(code) for code in cls.plain]

    @classmethod
    def sh(cls, code):
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", code], cwd=cls.here, text=True,
                              capture_output=True, timeout=LIMIT, env=dict(os.environ),
                              stdin=subprocess.DEVNULL, errors="replace")
        if done.returncode != 0:
            raise AssertionError(f"{code}\n{done.stdout}\n{done.stderr}")
        return done.stdout + done.stderr

    def with_tool(self, name):
        if shutil.which(name) is None:
            self.skipTest(f"{name} is not installed")
        return self.sh(self.named[name])

    def test_a_backend_is_built_run_and_tested(self):
        self.assertEqual(len(self.plain), 2)
        self.assertIn("score", self.printed[1])
        self.assertRegex(self.printed[1], r"\d+ passed, 0 failed")

    def test_a_backend_in_go_is_built_and_tested(self):
        self.assertRegex(self.sh(self.named["go"]), r"\n26 passed, 0 failed")

    def test_gdb_stops_in_the_function(self):
        printed = self.with_tool("gdb")
        self.assertIn("$1 = 0", printed)
        self.assertRegex(printed, r"#0 .*Totals::Next .* at .*totals_backend\.cpp:\d+")

    def test_perf_records(self):
        if shutil.which("perf") is None:
            self.skipTest("perf is not installed")
        allowed = subprocess.run(["perf", "record", "-q", "-o", "/dev/null", "true"],
                                 capture_output=True)
        if allowed.returncode != 0:
            self.skipTest("this machine does not let perf record")
        # The run is short: which of its libraries a sample hits is chance.
        self.assertRegex(self.sh(self.named["perf"]), r"\d+\.\d+% +\S+\.so")

    def test_valgrind_finds_no_error(self):
        self.with_tool("valgrind")

    def test_address_sanitizer_runs_and_names_the_line_of_a_fault(self):
        printed = self.sh(self.named["asan"])
        self.assertRegex(printed, r"\d+ passed, 0 failed")
        # The same commands for a function with a fault.
        fault = self.here / "build/authors/fault.cpp"
        fault.write_text('#include "alloy/backend.hpp"\n'
                         "static double Fault(double x, int64_t) {\n"
                         "  auto* p = new double[1];\n"
                         "  p[1] = x;\n"
                         "  delete[] p;\n"
                         "  return x;\n"
                         "}\n"
                         'ALLOY_BACKEND("acme.fault", "1", '
                         'alloy::Rows("score", {"x", "y"}, &Fault))\n')
        code = self.named["asan"].replace("examples/cpp/score_backend.cpp",
                                          "build/authors/fault.cpp")
        with self.assertRaises(AssertionError) as raised:
            self.sh(code)
        self.assertRegex(str(raised.exception), r"fault\.cpp:4")


if __name__ == "__main__":
    unittest.main()
