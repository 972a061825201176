# SPDX-License-Identifier: MIT
"""Reports are read as what they say; what did not run is a failure."""

import json
import pathlib
import tempfile
import unittest

from support import ROOT  # noqa: F401  (finds the package below)

from suites import reports
from suites.reports import Count

GTEST = """<testsuites><testsuite name="A">
  <testcase name="a" status="run" result="completed"/>
  <testcase name="b" status="run" result="completed"><failure message="x"/></testcase>
  <testcase name="c" status="run" result="skipped"><skipped message=""/></testcase>
  <testcase name="d" status="notrun" result="suppressed"/>
</testsuite></testsuites>"""


class FilesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def ctest(self, cases, **programs):
        for name, xml in programs.items():
            (self.folder / f"{name}.xml").write_text(xml)
        junit = self.folder / "junit"
        junit.write_text(f"<testsuite>{cases}</testsuite>")
        return reports.ctest(junit, self.folder)

    def test_googletest(self):
        (self.folder / "a.xml").write_text(GTEST)
        self.assertEqual(reports.googletest(self.folder / "a.xml"), Count(1, 1, 2))

    def test_program_counts_its_own_tests_and_any_other_one(self):
        self.assertEqual(self.ctest(
            '<testcase name="a" status="fail"/><testcase name="plain" status="run"/>', a=GTEST),
            Count(2, 1, 2))

    def test_crash_is_a_failure_with_or_without_a_report(self):
        good = GTEST.replace('<failure message="x"/>', "")
        self.assertEqual(self.ctest('<testcase name="a" status="fail"/>', a=good).failed, 1)
        self.assertEqual(self.ctest('<testcase name="b" status="fail"/>'), Count(0, 1))
        self.assertEqual(self.ctest('<testcase name="c" status="fail"/>', c="<cut"), Count(0, 1))

    def test_program_without_tests_is_a_failure(self):
        self.assertEqual(self.ctest('<testcase name="a" status="run"/>', a="<testsuites/>"),
                         Count(0, 1))

    def test_missing_program_is_a_failure_and_a_wish_to_skip_is_not(self):
        case = '<testcase name="a" status="notrun"><skipped message="{}"/></testcase>'
        self.assertEqual(self.ctest(case.format("Unable to find executable")), Count(0, 1))
        self.assertEqual(self.ctest(case.format("SKIP_RETURN_CODE=77")), Count(0, 0, 1))

    def test_disabled_test_is_a_failure(self):
        self.assertEqual(self.ctest('<testcase name="a" status="disabled">'
                                    '<skipped message="Disabled"/></testcase>'), Count(0, 1))

    def test_no_report_is_no_run(self):
        with self.assertRaises(reports.NoReport):
            reports.ctest(self.folder / "none", self.folder)


class TextTest(unittest.TestCase):
    def go(self, *events):
        return reports.go([json.dumps(e) for e in events])[0]

    def test_go_counts_subtests_and_not_their_parents(self):
        self.assertEqual(self.go(
            {"Action": "pass", "Package": "p", "Test": "A/x"},
            {"Action": "fail", "Package": "p", "Test": "A/y"},
            {"Action": "fail", "Package": "p", "Test": "A"},
            {"Action": "skip", "Package": "p", "Test": "B"},
            {"Action": "pass", "Package": "p", "Test": "C"},
            {"Action": "fail", "Package": "p"}), Count(2, 1, 1))

    def test_go_parent_that_fails_alone_counts(self):
        self.assertEqual(self.go(
            {"Action": "pass", "Package": "p", "Test": "A/x"},
            {"Action": "fail", "Package": "p", "Test": "A"},
            {"Action": "fail", "Package": "p"}), Count(1, 1))

    def test_go_package_that_does_not_build_or_dies_counts(self):
        self.assertEqual(self.go({"Action": "fail", "Package": "p"},
                                 {"Action": "pass", "Package": "q"}), Count(0, 1))

    def test_go_text_is_what_people_read(self):
        _, text = reports.go(['{"Action":"output","Package":"p","Output":"hello\\n"}', "plain"])
        self.assertEqual(text, "hello\nplain")

    def test_cargo(self):
        line = "test result: {}. {} passed; {} failed; {} ignored; 0 measured\n"
        self.assertEqual(reports.cargo(line.format("ok", 3, 0, 1) + line.format("FAILED", 1, 2, 0)),
                         Count(4, 2, 1))
        with self.assertRaises(reports.NoReport):
            reports.cargo("error: could not compile\n")

    def test_unittest(self):
        self.assertEqual(reports.unittest("Ran 5 tests in 1s\n\nOK (skipped=1)\n"), Count(4, 0, 1))
        self.assertEqual(reports.unittest(
            "Ran 5 tests in 1s\n\nFAILED (failures=1, errors=2)\n"), Count(2, 3))
        with self.assertRaises(reports.NoReport):
            reports.unittest("ImportError\n")

    def test_checks(self):
        self.assertEqual(reports.checks("FAIL x\n1 passed, 1 failed\n"), Count(1, 1))
        with self.assertRaises(reports.NoReport):
            reports.checks("Traceback\n")

    def test_sum_is_printed_with_what_was_skipped(self):
        self.assertEqual(str(Count(1, 2) + Count(3, 0)), "4 passed, 2 failed")
        self.assertEqual(str(Count(1, 0, 2)), "1 passed, 0 failed, 2 skipped")
