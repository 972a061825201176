# SPDX-License-Identifier: MIT
"""doctor reports what this machine has, and how to get what is missing."""

import os
import platform

from support import CommandTest


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
