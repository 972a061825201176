# SPDX-License-Identifier: MIT
"""The code in comments of public headers is code of a file that is built as a test."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# A line that ends with the path of a file and a colon, an empty one, then indented code.
MARKED = re.compile(r"^// (?:.* )?([\w/]+/[\w.]+\.(?:c|cpp|cc)):\n//\n((?://(?:   .*)?\n)+)", re.M)
CODE = re.compile(r"^//   (?! |Borrows|Shares|Takes|Gives|Fails).*[;{]$", re.M)


def lines(text):
    return [line.strip() for line in text.splitlines() if line.strip()]


class HeadersTest(unittest.TestCase):
    def setUp(self):
        self.headers = sorted((ROOT / "include/alloy").glob("*.h*"))

    def test_every_example_is_code_of_its_file(self):
        seen = 0
        for header in self.headers:
            for path, comment in MARKED.findall(header.read_text()):
                example = iter(lines((ROOT / path).read_text()))
                for line in lines(re.sub(r"^//", "", comment, flags=re.M)):
                    # Lines may be left out, but not reordered.
                    self.assertIn(line, example, f"{header.name} and {path}")
                seen += 1
        self.assertGreaterEqual(seen, 5)

    def test_no_example_is_without_its_file(self):
        for header in self.headers:
            rest = MARKED.sub("", header.read_text())
            self.assertEqual(CODE.findall(rest), [], header.name)


if __name__ == "__main__":
    unittest.main()
