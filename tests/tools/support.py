# SPDX-License-Identifier: MIT
"""A small repository in a temporary folder, for a check to look at."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
os.environ["PATH"] = f"{ROOT}/.venv/bin:{os.environ['PATH']}"

from checks.tree import Tree  # noqa: E402


class RepositoryTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        subprocess.run(["git", "init", "-q", self.root], check=True)

    def tree(self, files):
        """Writes {path: text} and answers the tree."""
        for path, text in files.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return Tree(self.root)

    def expect_fault(self, faults, *words):
        self.assertTrue(faults, "the check found nothing")
        text = "\n".join(faults)
        for word in words:
            self.assertIn(word, text)
