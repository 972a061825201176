# SPDX-License-Identifier: MIT
"""The result of each test, read from what the test runners write.

A result is a pair (name, outcome). Names are the same in every mode in which a test runs
(release, sanitizers, race detector), so that tools/test can count each test once.
"""

import json
import pathlib
import re
import xml.etree.ElementTree as ElementTree

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


class NoReport(Exception):
    """A suite that left no usable report did not run."""


def _cases(path):
    try:
        return list(ElementTree.parse(path).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        raise NoReport(f"{path}: {error}") from None


def _googletest(program, path):
    for case in _cases(path):
        name = f"{program}: {case.get('classname')}.{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            yield name, FAILED
        elif case.get("status") == "notrun" or case.get("result") == "skipped":
            yield name, SKIPPED
        else:
            yield name, PASSED


def pytest(path):
    """The report of `pytest --junit-xml`; a module that cannot be imported is a failure."""
    found = []
    for case in _cases(path):
        name = f"{case.get('classname')}.{case.get('name')}"
        broken = case.find("failure") is not None or case.find("error") is not None
        skipped = case.find("skipped") is not None
        found.append((name, FAILED if broken else SKIPPED if skipped else PASSED))
    return found


def ctest(junit, reports):
    """Of a program with a GoogleTest report, the tests in it; of any other, its one result.

    A program that fails counts a failure even if its report shows none: it may have crashed.
    """
    found = []
    for case in _cases(junit):
        program, status = case.get("name"), case.get("status")
        report = pathlib.Path(reports) / f"{program}.xml"
        own = []
        if status in ("notrun", "disabled"):
            # ctest also reports "notrun" for a program that is missing. Only a test that
            # asked for it (SKIP_RETURN_CODE, SKIP_REGULAR_EXPRESSION) is skipped.
            skipped = case.find("skipped")
            asked = skipped is not None and skipped.get("message", "").startswith("SKIP_")
            own = [(program, SKIPPED if asked else FAILED)]
        elif report.exists():
            try:
                own = list(_googletest(program, report))
            except NoReport:
                own = [(program, FAILED)]
        else:
            own = [(program, PASSED if status == "run" else FAILED)]
        if not own or (status == "fail" and all(o != FAILED for _, o in own)):
            own.append((program, FAILED))
        found += own
    return found


def go(lines):
    """The events of `go test -json`, and their output as text.

    Of a test with subtests the subtests count. A package that fails without a failed test
    counts as one failure.
    """
    tests, text, broken = {}, [], []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            text.append(line)
            continue
        text.append(event.get("Output", ""))
        package = event.get("Package", event.get("ImportPath", ""))
        if event["Action"] not in ("pass", "fail", "skip", "build-fail"):
            continue
        if "Test" in event:
            tests[package, event["Test"]] = event["Action"]
        elif event["Action"] in ("fail", "build-fail"):
            broken.append(package)
    outcome = {"pass": PASSED, "fail": FAILED, "skip": SKIPPED}
    found = []
    for (package, test), action in tests.items():
        below = [a for (p, t), a in tests.items() if p == package and t.startswith(f"{test}/")]
        # A parent may also fail on its own account, after all its subtests passed.
        if not below or (action == "fail" and "fail" not in below):
            found.append((f"{package}.{test}", outcome[action]))
    failed = {package for (package, _), action in tests.items() if action == "fail"}
    found += [(package, FAILED) for package in broken if package not in failed]
    return found, "".join(text)


def cargo(output):
    """The lines of `cargo test`, documentation tests included."""
    found, binary = [], ""
    outcome = {"ok": PASSED, "FAILED": FAILED, "ignored": SKIPPED}
    for line in output.splitlines():
        if match := re.match(r" *(?:Running (?:unittests )?(\S+)|Doc-tests (\S+))", line):
            # The name of the program ends in a hash of its build.
            program = re.search(r"\((?:\S*/)?(\S+?)-[0-9a-f]+\)", line)
            binary = f"{match[1] or 'doc'} {program[1] if program else match[2] or ''}".strip()
        elif match := re.match(r"test (.+) \.\.\. (ok|FAILED|ignored)\b", line):
            found.append((f"{binary}: {match[1]}", outcome[match[2]]))
    if not found:
        raise NoReport("cargo test reported no test")
    if re.search(r"^error:", output, re.M) and all(o != FAILED for _, o in found):
        found.append((f"{binary}: the program", FAILED))
    return found


def lines(output):
    """Lines `ok   name` and `FAIL name`, as tools/check and run_unittest.py print them."""
    outcome = {"ok": PASSED, "FAIL": FAILED, "skip": SKIPPED}
    found = [(name, outcome[word]) for word, name in
             re.findall(r"^(ok|FAIL|skip) +(\S+)", output, re.M)]
    if not found:
        raise NoReport("the suite reported no test")
    return found
