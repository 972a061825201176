# SPDX-License-Identifier: MIT
"""arrowalloy test: the conformance suite as a test runner."""

import re
import subprocess
import unittest

from support import BUILD, MODE, ROOT, CommandTest

SUM = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.M)


OVERRUN = """#include "alloy/backend.hpp"
static void Twice(alloy::Column<int64_t> x, alloy::Output<int64_t>& out) {
  auto copy = std::make_unique<int64_t[]>(x.size());
  for (int64_t i = 0; i < x.size(); ++i) copy[i] = x.Get(i).value_or(0);
  for (int64_t i = 0; i < x.size(); ++i) out.Append(copy[i + 1]);  // overrun
}
ALLOY_BACKEND("test.overrun", "1.0.0", alloy::Function("twice", {"x"}, {"y"}, &Twice))
"""


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

    def test_a_warning_about_the_load_is_not_a_fault_of_a_function(self):
        done = self.succeed("test", backend("score_cpp"), "--rows", 20, "--load-plainly")
        self.assertEqual(self.counts(done)[1:], (0, 0))

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
        # A worker cannot write there.
        self.assertIn("died by SIGSEGV in writes_to_its_input" if MODE
                      else "was written to; inputs are borrowed", done.out)
        self.assertGreater(self.counts(done)[1], 0)

    def test_a_crash_fails_one_test_and_not_the_program(self):
        done = self.arrowalloy("test", backend("tests/careless"), "--function", "crashes",
                               "--function", "careful", "--rows", 10)
        self.assertEqual(done.code, 1, done.out + done.err)
        self.assertRegex(done.out, r"FAILED   crashes: .*\n .*died by (signal|SIG)")
        self.assertNotIn("FAILED   careful", done.out)
        self.assertEqual(self.counts(done)[1], 1)

    def test_a_function_that_never_succeeds_does_not_pass(self):
        done = self.arrowalloy("test", backend("tests/careless"), "--function", "always_throws",
                               "--rows", 10)
        self.assertEqual(done.code, 1, done.out + done.err)
        self.assertEqual(self.counts(done)[0:2], (1, 1))
        self.assertIn("FAILED   always_throws: succeeds on a sample", done.out)
        self.assertIn("the model is not trained", done.out)
        self.assertIn("--sample FILE.csv", done.out)

    @unittest.skipIf(MODE, "the kit watches the memory of its own process")
    def test_each_breach_of_memory_and_nulls_is_named(self):
        for function, words in (
                ("reads_under_nulls", "look at validity"),
                ("nulls_where_none", "null"),
                ("leaks", "bytes of memory"),
                ("release_leaves_no_mark", "does not set `release` to NULL"),
                ("keeps_its_inputs_address", "does the function keep a pointer into one?")):
            with self.subTest(function):
                done = self.arrowalloy("test", backend("tests/careless"), "--function",
                                       function, "--rows", 20)
                self.assertEqual(done.code, 1, done.out + done.err)
                self.assertIn(words, done.out)

    def test_a_stream_that_ends_early_passes(self):
        done = self.succeed("test", backend("tests/careless"), "--function", "ends_early",
                            "--rows", 20)
        self.assertEqual(self.counts(done)[1:], (0, 0))

    def test_a_sample_reaches_a_function_that_needs_it(self):
        sample = self.here / "small.csv"
        sample.write_text("x\n3\n\n99\n")
        args = ("test", backend("tests/careless"), "--function", "two_numbers", "--rows", 20)
        self.assertEqual(self.arrowalloy(*args).code, 1)
        done = self.succeed(*args, "--sample", sample)
        self.assertEqual(self.counts(done)[1:], (0, 0))
        sample.write_text("x\n3\nmany\n")
        done = self.arrowalloy(*args, "--sample", sample, "--columns", "x:l")
        self.assertIn("`many` in row 2 of column x", done.out)
        sample.write_text("x,y\n3\n")
        self.refuse(2, "E0002", *args, "--sample", sample)

    @unittest.skipIf(MODE, "the sanitizer has to be in the process before it starts")
    def test_address_sanitizer_names_file_and_line(self):
        source = self.here / "overrun.cc"
        source.write_text(OVERRUN)
        library = self.here / "liboverrun.so"
        built = subprocess.run(
            ["g++", "-std=c++20", "-g", "-O1", "-fsanitize=address", "-fPIC", "-shared",
             "-fvisibility=hidden", f"-I{ROOT / 'include'}", source, "-o", library,
             f"-Wl,--version-script={ROOT / 'cmake/alloy_backend.map'}"],
            capture_output=True, text=True, check=False)
        self.assertEqual(built.returncode, 0, built.stderr)
        line = 1 + next(i for i, text in enumerate(OVERRUN.splitlines()) if "overrun" in text)
        done = self.arrowalloy("test", library, "--rows", 20)
        self.assertEqual(done.code, 1, done.out + done.err)
        self.assertIn("AddressSanitizer: heap-buffer-overflow", done.out)
        self.assertIn(f"overrun.cc:{line}", done.out)

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
