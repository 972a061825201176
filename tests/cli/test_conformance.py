# SPDX-License-Identifier: MIT
"""arrowalloy test: the conformance suite as a test runner."""

import re
import unittest

from support import BUILD, CommandTest

SUM = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.M)


def backend(name):
    return BUILD / "backends" / f"{name}.so"


class ConformanceCommandTest(CommandTest):
    def counts(self, done):
        found = SUM.search(done.out)
        self.assertIsNotNone(found, done.out)
        return tuple(map(int, found.groups()))

    def test_a_good_backend_passes_all_of_it(self):
        for library in ("score_cpp", "score_c"):
            done = self.succeed("test", backend(library), "--rows", 20)
            passed, failed, skipped = self.counts(done)
            self.assertGreater(passed, 15)
            self.assertEqual((failed, skipped), (0, 0))
            self.assertIn("ok       score: takes a batch without rows", done.out)

    def test_good_stream_functions_pass_all_of_it(self):
        done = self.succeed("test", backend("tpch_cpp"), "--rows", 20)
        passed, failed, skipped = self.counts(done)
        self.assertGreater(passed, 15)
        self.assertEqual((failed, skipped), (0, 0))
        self.assertIn("ok       q1: takes streams without a batch", done.out)

    def test_a_broken_rule_is_a_failure_with_what_was_found(self):
        done = self.arrowalloy("test", backend("tests/careless"), "--function",
                               "writes_to_its_input", "--rows", 10)
        self.assertEqual(done.code, 1, done.out + done.err)
        self.assertIn("FAILED   writes_to_its_input: ", done.out)
        self.assertIn("was written to; inputs are borrowed", done.out)
        self.assertGreater(self.counts(done)[1], 0)

    def test_a_crash_fails_one_test_and_not_the_program(self):
        done = self.arrowalloy("test", backend("tests/careless"), "--function", "crashes",
                               "--function", "careful", "--rows", 10)
        self.assertEqual(done.code, 1, done.out + done.err)
        self.assertRegex(done.out, r"FAILED   crashes: .*\n .*died by signal")
        self.assertNotIn("FAILED   careful", done.out)
        self.assertEqual(self.counts(done)[1], 1)

    def test_json_is_one_object(self):
        answer = self.succeed("test", backend("score_cpp"), "--rows", 5, "--json").json()
        self.assertEqual(answer["failed"], 0)
        self.assertEqual(len(answer["tests"]), answer["passed"] + answer["skipped"])
        self.assertEqual({test["function"] for test in answer["tests"]}, {"score"})

    def test_a_function_that_no_columns_fit_is_skipped_and_not_a_success(self):
        done = self.arrowalloy("test", backend("tests/careless"), "--function", "careful",
                               "--columns", "x:u")
        self.assertEqual(done.code, 1)
        self.assertEqual(self.counts(done), (0, 0, 1))
        self.assertIn("wants one column of int64", done.out)

    def test_columns_may_be_named(self):
        done = self.succeed("test", backend("tests/careless"), "--function", "careful",
                            "--columns", "x:l", "--rows", 10)
        self.assertEqual(self.counts(done)[1:], (0, 0))

    def test_options_may_name_the_columns(self):
        done = self.succeed("test", backend("aggregate_rust"), "--columns", "k:vu,x:l",
                            "--rows", 10, "--set", "group_by.keys=k", "--set",
                            "group_by.aggregates=sum(x)", "--set", "join.on=k", "--set",
                            "sort.by=k", "--set", "filter.column=k", "--set",
                            "scale.column=x", "--set", "scale.factor=3")
        passed, failed, skipped = self.counts(done)
        self.assertGreater(passed, 40)
        self.assertEqual((failed, skipped), (0, 0))

    def test_wrong_arguments_are_refused(self):
        self.refuse(2, "E0002", "test", backend("score_cpp"), "--set", "nothing")
        self.refuse(2, "E0002", "test", backend("score_cpp"), "--columns", "x")
        self.refuse(2, "E0002", "test", backend("score_cpp"), "--function", "absent")
        self.refuse(2, "E0002", "test", backend("score_cpp"), "--rows", "0")

    def test_a_file_that_is_not_a_library_is_refused(self):
        (self.here / "text.so").write_text("x" * 100)
        done = self.arrowalloy("test", "text.so")
        self.assertEqual(done.code, 16, done.out + done.err)


if __name__ == "__main__":
    unittest.main()
