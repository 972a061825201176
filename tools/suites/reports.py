# SPDX-License-Identifier: MIT
"""Counts out of the reports that GoogleTest, ctest, go test, cargo test and Python write."""

import dataclasses
import json
import pathlib
import re
import xml.etree.ElementTree as ElementTree


@dataclasses.dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Count(self.passed + other.passed, self.failed + other.failed,
                     self.skipped + other.skipped)

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


class NoReport(Exception):
    """A suite that left no usable report did not run."""


def googletest(path):
    """The counts in the XML report of a GoogleTest program."""
    count = Count()
    try:
        cases = ElementTree.parse(path).getroot().iter("testcase")
    except (OSError, ElementTree.ParseError) as error:
        raise NoReport(f"{path}: {error}") from None
    for case in cases:
        if case.find("failure") is not None or case.find("error") is not None:
            count.failed += 1
        elif case.get("status") == "notrun" or case.get("result") == "skipped" \
                or case.find("skipped") is not None:
            count.skipped += 1
        else:
            count.passed += 1
    return count


def ctest(junit, reports):
    """The counts of a ctest run: of a program with a GoogleTest report those in it, of any
    other its one result. A program that failed counts a failure, whatever it reported."""
    try:
        cases = list(ElementTree.parse(junit).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        raise NoReport(f"ctest wrote no report: {error}") from None
    total = Count()
    for case in cases:
        status = case.get("status")
        report = pathlib.Path(reports) / f"{case.get('name')}.xml"
        if status in ("notrun", "disabled") and case.find("skipped") is not None:
            # ctest says so too when the program is missing; only a test that asked for it
            # (SKIP_RETURN_CODE, SKIP_REGULAR_EXPRESSION) is skipped.
            asked = case.find("skipped").get("message", "").startswith("SKIP_")
            count = Count(skipped=1) if asked else Count(failed=1)
        elif report.exists():
            try:
                count = googletest(report)
            except NoReport:
                count = Count()
            if not count.passed + count.failed + count.skipped:
                count.failed = 1
        else:
            count = Count(passed=1) if status == "run" else Count(failed=1)
        if status == "fail" and not count.failed:
            count.failed = 1
        total += count
    return total


def go(lines):
    """The counts in the output of `go test -json`, and that output as text. Of tests with
    subtests the subtests count; a package that failed without a failed test counts one."""
    results, text, packages = {}, [], {}
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            text.append(line)
            continue
        package, action = event.get("Package", event.get("ImportPath", "")), event["Action"]
        text.append(event.get("Output", ""))
        if action not in ("pass", "fail", "skip", "build-fail"):
            continue
        if "Test" in event:
            results[(package, event["Test"])] = action
        else:
            packages[package] = action
    count = Count()
    parents = {(package, test.rsplit("/", 1)[0]) for package, test in results if "/" in test}
    failed = set()
    for (package, test), action in results.items():
        if action == "fail":
            failed.add(package)
        if (package, test) in parents:
            # A parent may fail on its own account, all its subtests having passed.
            subtests_failed = any(a == "fail" and p == package and t.startswith(test + "/")
                                  for (p, t), a in results.items())
            count.failed += action == "fail" and not subtests_failed
            continue
        count.passed += action == "pass"
        count.failed += action == "fail"
        count.skipped += action == "skip"
    count.failed += sum(action == "fail" and package not in failed
                        for package, action in packages.items())
    return count, "".join(text)


def cargo(output):
    """The counts in the output of `cargo test`, its documentation tests included."""
    count = Count()
    found = re.findall(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored",
                       output, re.M)
    for passed, failed, ignored in found:
        count += Count(int(passed), int(failed), int(ignored))
    if not found:
        raise NoReport("cargo test reported no result")
    return count


def unittest(output):
    """The counts in the output of Python's unittest."""
    ran = re.search(r"^Ran (\d+) tests? in ", output, re.M)
    if not ran:
        raise NoReport("unittest reported no result")
    def number(word):
        found = re.search(rf"^(?:OK|FAILED) \(.*?\b{word}=(\d+)", output, re.M)
        return int(found[1]) if found else 0
    failed = number("failures") + number("errors") + number("unexpected successes")
    skipped = number("skipped")
    # An error in setUpClass is no test that ran.
    return Count(max(int(ran[1]) - failed - skipped, 0), failed, skipped)


def checks(output):
    """The counts in the output of tools/check."""
    found = re.search(r"^(\d+) passed, (\d+) failed$", output, re.M)
    if not found:
        raise NoReport("tools/check reported no result")
    return Count(int(found[1]), int(found[2]))
