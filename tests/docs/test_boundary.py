# SPDX-License-Identifier: MIT
"""docs/boundary.md names tests and cases that are there, and leaves out no case."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/boundary.md").read_text()


def texts(*patterns):
    return "\n".join(path.read_text() for pattern in patterns
                     for path in sorted(ROOT.glob(pattern)))


CASES = re.findall(r'^ +\{"(\w+)", (?:ALLOY_REASON_|kAny)', texts("tests/faults/*_cases.h"), re.M)
CPP = set(re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)",
                     texts("src/**/*_test.cc", "tests/**/*.cc"), re.M))
GO = set(re.findall(r"^func (Test\w+)\(", texts("go/**/*_test.go"), re.M))
RUST = set(re.findall(r"^\s*fn (\w+)\(",
                      texts("rust/**/*.rs", "tests/**/*.rs", "backends/**/*.rs"), re.M))


def named():
    """What the rows of the tables name as tests, behind their first column."""
    for row in re.findall(r"^\|(?!---)(.*)\|$", PAGE, re.M):
        cells = "|".join(row.split("|")[1:])
        yield from re.findall(r"`([^`]+)`", cells)


class BoundaryTest(unittest.TestCase):
    def test_every_test_and_case_that_is_named_is_there(self):
        seen = 0
        for name in named():
            if name.startswith("fuzz/"):
                self.assertTrue(any((ROOT / name).iterdir()), name)
                self.assertTrue(list(ROOT.glob(f"src/*/{name[5:]}_fuzz.cc")), name)
            elif "." in name:
                suite, test = name.split(".")
                self.assertTrue(any(suite == s and test in ("*", t) for s, t in CPP), name)
            elif name.startswith("Test"):
                self.assertIn(name, GO)
            else:
                self.assertTrue(name in CASES or name in RUST, name)
            seen += 1
        self.assertGreater(seen, 150)

    def test_every_case_is_named(self):
        self.assertGreater(len(CASES), 120)
        self.assertEqual(len(CASES), len(set(CASES)))
        self.assertEqual(set(CASES) - set(named()), set())


if __name__ == "__main__":
    unittest.main()
