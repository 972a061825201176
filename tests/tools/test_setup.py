# SPDX-License-Identifier: MIT
"""tools/setup says what is missing, and does nothing where nothing is."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# What the script itself calls. None of it is a tool that it looks for.
NEEDED = ("bash", "dirname", "sed", "grep", "sort", "head", "mktemp", "rm", "mkdir", "mv",
          "tail", "ln", "env")


class SetupTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "tools").mkdir()
        shutil.copy(ROOT / "tools/setup", self.root / "tools")
        self.bin = self.root / "bin"
        self.bin.mkdir()
        for name in NEEDED:
            (self.bin / name).symlink_to(shutil.which(name))

    def stub(self, name, *lines):
        file = self.bin / name
        file.write_text("\n".join(("#!/usr/bin/env bash", *lines)) + "\n")
        file.chmod(0o755)

    def setup_says(self, *purposes):
        """In a folder and with a PATH of its own; whatever it would do, it cannot."""
        return subprocess.run([self.root / "tools/setup", *purposes], text=True, timeout=60,
                              env={"PATH": str(self.bin)}, capture_output=True)

    def machine(self, **versions):
        for name, version in versions.items():
            self.stub(name.replace("gxx", "g++"), f'echo "{name} {version}"')

    def test_without_root_it_prints_the_command(self):
        self.stub("id", "echo 1000")
        self.stub("apt-get", "echo it was called >&2; exit 1")
        self.stub("apt-cache", "exit 0")
        self.machine(cargo="1.90.0", rustc="1.90.0", go="1.26.1", cmake="3.25.1")
        done = self.setup_says("run")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("As root, please run:", done.stderr)
        self.assertRegex(done.stderr, r"apt-get update && apt-get install .*\bg\+\+ ninja-build")
        self.assertNotIn("cmake", done.stderr)
        self.assertNotIn("it was called", done.stderr)

    def test_without_apt_it_names_the_packages(self):
        self.stub("id", "echo 0")
        self.machine(cargo="1.90.0", rustc="1.90.0", go="1.26.1", cmake="3.25.1", gxx="12.2.0")
        done = self.setup_says("run")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("ninja-build", done.stderr)
        self.assertIn("your distribution's own tool", done.stderr)

    def test_an_older_tool_is_left_alone_and_told(self):
        self.stub("id", "echo 0")
        self.machine(gxx="11.4.0")
        done = self.setup_says("run")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("g++ is older than 12", done.stderr)

    def test_an_unknown_purpose_is_refused(self):
        done = self.setup_says("everything")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("unknown purpose 'everything'", done.stderr)

    def test_where_all_is_there_it_says_nothing(self):
        # As after `make test`, which calls it first. Nothing may come from outside.
        done = subprocess.run([ROOT / "tools/setup", "test"], text=True, capture_output=True,
                              timeout=60, env={**os.environ, "PIP_NO_INDEX": "1"})
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


if __name__ == "__main__":
    unittest.main()
