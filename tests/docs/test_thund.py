# SPDX-License-Identifier: MIT
"""The tutorial of apps/thund/README.md runs, from an empty folder, in less than ten minutes."""

import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
BLOCK = re.compile(r"^```sh tutorial\n(.*?)^```\n", re.M | re.S)
LIMIT = 600  # seconds: what the page promises


class TutorialTest(unittest.TestCase):
    def test_each_command_of_the_tutorial_runs(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        installed = folder / "installed"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", installed], check=True,
                       capture_output=True, timeout=LIMIT)
        subprocess.run(["go", "build", "-o", BUILD / "bin/thund", "./cmd/thund"],
                       cwd=ROOT / "apps/thund", check=True, timeout=LIMIT)
        blocks = BLOCK.findall((ROOT / "apps/thund/README.md").read_text())
        self.assertEqual(len(blocks), 8)
        environment = {**os.environ, "PATH": f"{installed}/bin:{BUILD}/bin:{os.environ['PATH']}"}
        for theirs in ("CARGO_TARGET_DIR", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
            environment.pop(theirs, None)
        empty = folder / "empty"
        empty.mkdir()
        begin = time.monotonic()
        # One shell, as for a reader; a line between the blocks tells their outputs apart.
        script = 'echo "== next =="\n'.join(blocks)
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=empty, text=True,
                              capture_output=True, timeout=LIMIT, env=environment,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, f"{done.stdout}\n{done.stderr}")
        self.assertLess(time.monotonic() - begin, LIMIT)
        outputs = done.stdout.split("== next ==\n")
        for number, text in ((3, "name utf8, x float64, y float64"), (3, "1 passed, 0 failed"),
                             (3, "flowchart LR"), (4, "distance\n5\n10\n"),
                             (4, "moon,3000,4000,far,FAILED,"), (7, "monday-distances.csv"),
                             (7, "monday.csv.done")):
            self.assertIn(text, outputs[number])
        for text in ("1 dead letters", "error[E2014]", "1 files done, 0 ignored"):
            self.assertIn(text, done.stderr)


if __name__ == "__main__":
    unittest.main()
