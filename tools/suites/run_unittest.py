# SPDX-License-Identifier: MIT
"""Runs the tests of a folder by unittest, and prints one line with the result of each.

    python3 run_unittest.py FOLDER [MODULE...]
"""

import sys
import unittest


class Result(unittest.TextTestResult):
    """Keeps the outcome of each test, and of each fixture that fails."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.outcomes = {}

    def addSuccess(self, test):
        super().addSuccess(test)
        self.outcomes.setdefault(test.id(), "ok")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.outcomes.setdefault(test.id(), "skip")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.outcomes[test.id()] = "FAIL"

    def addError(self, test, error):
        super().addError(test, error)
        self.outcomes[test.id()] = "FAIL"

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.outcomes[test.id()] = "FAIL"

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.outcomes[test.id()] = "FAIL"


def main():
    folder, modules = sys.argv[1], sys.argv[2:]
    tests = unittest.TestSuite(
        unittest.defaultTestLoader.discover(folder, f"{module}.py", folder)
        for module in modules or ["test*"])
    result = unittest.TextTestRunner(sys.stdout, resultclass=Result, verbosity=2).run(tests)
    print()
    for name, outcome in result.outcomes.items():
        print(f"{outcome:4} {name.replace(' ', '_')}")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
