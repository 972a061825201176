# SPDX-License-Identifier: MIT
"""Tables and charts of docs/performance.md are made from the numbers next to them."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"


def check(folder):
    return subprocess.run(
        [sys.executable, ROOT / "bench/performance/page.py", "--check", "--folder", folder],
        capture_output=True, text=True)


class PerformanceTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.docs = pathlib.Path(folder.name)
        shutil.copytree(ROOT / "docs/performance", self.docs / "performance")
        shutil.copy(ROOT / "docs/performance.md", self.docs)

    def data(self, name):
        return json.loads((self.docs / "performance" / name).read_text())

    def test_the_page_shows_its_numbers(self):
        done = check(ROOT / "docs")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_number_that_the_page_does_not_show_is_found(self):
        for name in ("python.json", "boundary.json"):
            path = self.docs / "performance" / name
            before = path.read_text()
            changed = json.loads(before)
            one = changed["rows"][0]
            if "alloy" in one:
                one["alloy"]["min"] *= 2
            else:
                one["bound"] *= 2
            path.write_text(json.dumps(changed))
            done = check(self.docs)
            self.assertEqual(done.returncode, 1, name)
            self.assertIn("performance.md", done.stderr)
            self.assertIn(name.replace("json", "svg"), done.stderr)
            path.write_text(before)

    def test_a_page_that_was_edited_is_found(self):
        path = self.docs / "performance.md"
        path.write_text(path.read_text().replace("| yes |", "| no |", 1))
        done = check(self.docs)
        self.assertEqual(done.returncode, 1)
        self.assertIn("performance.md", done.stderr)
        self.assertNotIn("svg", done.stderr)

    def test_every_number_of_the_design_has_a_row(self):
        numbers = {one["number"] for one in self.data("python.json")["rows"]}
        self.assertLessEqual({str(number) for number in range(1, 12)}, numbers)

    def test_charts_have_a_text_and_colours_for_the_dark(self):
        for name in ("python", "boundary"):
            chart = ElementTree.parse(self.docs / f"performance/{name}.svg").getroot()
            self.assertIn("prefers-color-scheme: dark", chart.find(f"{SVG}style").text)
            self.assertTrue(chart.find(f"{SVG}title").text)
            said = chart.find(f"{SVG}desc").text
            bars = [r for r in chart.iter(f"{SVG}rect") if r.get("class") != "paper"]
            self.assertGreaterEqual(len(bars), 12)
            for bar in bars:
                edge = float(bar.get("x")) + float(bar.get("width"))
                self.assertLessEqual(edge, float(chart.get("width")))
            for one in self.data(f"{name}.json")["rows"]:
                if name == "python" and one["kind"] in ("at most", "times cheaper"):
                    self.assertIn(f"{one['what']}, peer {one['peer_name']}", said)
                elif name == "boundary":
                    self.assertIn(f"{one['bound']:.2f} µs", said)


if __name__ == "__main__":
    unittest.main()
