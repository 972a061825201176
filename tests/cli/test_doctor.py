# SPDX-License-Identifier: MIT
"""doctor reports what this machine has, and how to get what is missing."""

import json
import os
import platform
import subprocess
import sys

from support import LIMIT, PROGRAM, ROOT, CommandTest

REFUSE_CALLS = ROOT / "tests/support/refuse_calls.py"
# What no isolated call works without, and what a worker gives up.
NEEDED = ("alloy-worker", "shared memory", "processes", "futex")
RESTRICTIONS = ("environment", "common end", "descriptors", "OOM killer", "rlimits",
                "stack size", "privileges", "Landlock", "seccomp")


class DoctorTest(CommandTest):
    def checks(self, **more):
        done = self.arrowalloy("doctor", "--json", **more)
        answer = done.json()
        return done, {check["name"]: check for check in answer["checks"]}

    def test_this_machine_can_load(self):
        done, checks = self.checks()
        self.assertEqual(done.code, 0, done.out)
        self.assertIn(platform.release(), checks["kernel"]["found"])
        for name in ("/proc", "sealed memory", "libcrypto.so.3"):
            self.assertTrue(checks[name]["fit"], checks[name])

    def test_a_missing_program_is_named_with_the_command_that_installs_it(self):
        done, checks = self.checks(env={"PATH": str(self.here)})
        self.assertEqual(done.code, 0)  # nothing that loading needs
        self.assertFalse(checks["g++"]["fit"])
        self.assertIn("g++", checks["g++"]["fix"])
        self.assertIn("not found", checks["g++"]["found"])

    def test_a_program_that_is_too_old_or_broken_is_not_fit(self):
        for name, script in (("g++", "echo 'g++ 9.4.0'"), ("cmake", "exit 7"),
                             ("cargo", "kill -SEGV $$")):
            path = self.here / name
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
        _, checks = self.checks(env={"PATH": f"{self.here}:{os.environ['PATH']}"})
        self.assertEqual(checks["g++"]["found"], "9.4.0, older than 12.0")
        self.assertIn("exited with code 7", checks["cmake"]["found"])
        self.assertIn("died by signal 11", checks["cargo"]["found"])
        for name in ("g++", "cmake", "cargo"):
            self.assertFalse(checks[name]["fit"])

    def test_text_has_one_line_for_each_check(self):
        done = self.succeed("doctor")
        self.assertRegex(done.out, r"(?m)^ok +sealed memory +memfd")
        self.assertEqual(done.err, "")


class IsolationTest(CommandTest):
    """What the isolated mode can use, also where a container refuses system calls."""

    def isolation(self, refused=None):
        """(fit, found, fix) by the name of the part."""
        command = [PROGRAM, "doctor", "--json"]
        if refused is not None:
            command = [sys.executable, REFUSE_CALLS, refused, *command]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT,
                              cwd=self.here)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        checks = json.loads(done.stdout)["checks"]
        parts = {check["name"].removeprefix("isolation: "): check for check in checks
                 if check["name"].startswith("isolation: ")}
        self.assertEqual(tuple(parts), NEEDED + RESTRICTIONS)
        for part in parts.values():
            self.assertFalse(part["needed"])  # loading in process works without it
            self.assertTrue(part["use"])
            self.assertEqual(part["fix"] == "", part["fit"])
        return parts

    def missing(self, refused):
        return [name for name, part in self.isolation(refused).items() if not part["fit"]]

    def test_this_machine_allows_all_of_it(self):
        self.assertEqual(self.missing(None), [])

    def test_docker_allows_all_of_it_by_default(self):
        self.assertEqual(self.missing("docker"), [])

    def test_a_profile_without_landlock_and_seccomp_is_level_crash(self):
        parts = self.isolation("crash")
        self.assertEqual(self.missing("crash"), ["Landlock", "seccomp"])
        self.assertIn("a seccomp profile refuses Landlock", parts["Landlock"]["found"])
        self.assertIn("let the container's seccomp profile allow", parts["Landlock"]["fix"])
        self.assertIn("a seccomp profile refuses filters", parts["seccomp"]["found"])

    def test_a_call_that_every_worker_needs_is_named(self):
        parts = self.isolation("pidfd_open")
        self.assertFalse(parts["processes"]["fit"])
        self.assertIn("pidfd_open: Operation not permitted", parts["processes"]["found"])
        self.assertIn("pidfd_open", parts["processes"]["fix"])
        self.assertTrue(parts["seccomp"]["fit"])

    def test_each_refused_step_leaves_the_others(self):
        self.assertEqual(self.missing("close_range"), ["descriptors"])
        self.assertEqual(self.missing("capset"), ["privileges"])

    def test_the_worker_is_shown_with_its_path(self):
        found = self.isolation()["alloy-worker"]["found"]
        self.assertTrue(os.access(found, os.X_OK), found)
