# SPDX-License-Identifier: MIT
"""What holds for every command: streams, exit codes, colours, errors, help."""

import os
import pty
import re
import subprocess

from support import PROGRAM, ROOT, CommandTest


def commands():
    """The names in the program's own help."""
    text = subprocess.run([PROGRAM, "--help"], text=True, capture_output=True,
                          check=True).stdout
    listed = text.split("Commands:\n")[1].split("\n\n")[0]
    return re.findall(r"^  (\S+)", listed, re.M)


def on_terminal(*arguments, **environment):
    """What the program writes when all its streams are a terminal."""
    parent, child = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"}
    process = subprocess.Popen([PROGRAM, *arguments], stdin=child, stdout=child,
                               stderr=child, env=env | environment)
    os.close(child)
    said = b""
    try:
        while part := os.read(parent, 4096):
            said += part
    except OSError:  # how Linux reports the end of a terminal
        pass
    os.close(parent)
    process.wait(timeout=60)
    return said.decode(errors="replace")


class ConventionsTest(CommandTest):
    def test_every_commands_help_ends_in_worked_examples(self):
        names = commands()
        self.assertIn("completion", names)
        for name in names:
            done = self.succeed(name, "--help")
            examples = done.out.rsplit("Examples:\n", 1)
            self.assertEqual(len(examples), 2, name)
            for line in examples[1].strip().splitlines():
                self.assertIn("arrowalloy", line, name)
            self.assertEqual(done.err, "")

    def test_the_help_of_a_command_begins_with_its_own_options(self):
        text = self.succeed("keygen", "--help").out
        self.assertLess(text.index("--subject"), text.index("--json"))
        for name in commands():
            for line in self.succeed(name, "--help").out.split("Examples:")[0].splitlines():
                self.assertLessEqual(len(line), 100, name)

    def test_exit_codes_are_one_list_in_the_help_the_manual_and_the_document(self):
        listed = self.succeed("--help").out.split("Exit codes:\n")[1].split("\n\n")[0]
        codes = re.findall(r"^ +(\d+)  (.*)$", listed, re.M)
        self.assertGreater(len(codes), 10)
        document = (ROOT / "docs/signing.md").read_text().split("## Exit codes\n")[1]
        self.assertEqual(re.findall(r"^\| (\d+) \| (.*) \|$", document, re.M), codes)
        status = self.succeed("manual").out.split(".SH EXIT STATUS\n")[1]
        rows = re.findall(r"^\.TP\n\\fB(\d+)\\fR\n(.*)$", status.replace("\\-", "-"), re.M)
        self.assertEqual(rows, codes)

    def test_no_command_is_a_usage_error_that_names_the_help(self):
        done = self.refuse(2, "E0002")
        self.assertEqual(done.out, "")
        self.assertIn("help: arrowalloy --help", done.err)

    def test_an_unknown_command_and_an_unknown_option_are_usage_errors(self):
        self.assertIn("frobnicate", self.refuse(2, "E0002", "frobnicate").err)
        done = self.refuse(2, "E0002", "completion", "bash", "--frobnicate")
        self.assertIn("at: arrowalloy completion\n", done.err)
        self.assertIn("help: arrowalloy completion --help", done.err)

    def test_a_misspelled_command_or_option_gets_the_nearest_one(self):
        for arguments, meant in ((("runn", "a.so"), "run"), (("--verison",), "--version"),
                                 (("run", "a.so", "f", "--inptu", "x"), "--input"),
                                 (("verify", "a.so", "--certifcate=x"), "--certificate")):
            self.assertIn(f"; did you mean {meant}?", self.refuse(2, "E0002", *arguments).err)
        self.assertNotIn("did you mean", self.refuse(2, "E0002", "frobnicate").err)

    def test_version_is_that_of_the_header_and_of_the_engine(self):
        header = (ROOT / "include/alloy/alloy.h").read_text()
        version = re.search(r'#define ALLOY_VERSION "(.*)"', header)[1]
        self.assertEqual(self.succeed("--version").out,
                         f"arrowalloy {version} (engine {version})\n")

    def test_json_prints_an_error_as_one_object_on_standard_output(self):
        done = self.arrowalloy("completion", "ksh", "--json")
        self.assertEqual(done.code, 2)
        error = done.json()["error"]
        self.assertEqual((error["code"], error["exit"]), ("E0002", 2))
        self.assertEqual(error["at"], "arrowalloy completion")
        self.assertIn("error[E0002]", done.err)

    def test_colours_are_for_terminals_unless_an_option_says_otherwise(self):
        self.assertNotIn("\x1b", self.arrowalloy("completion", "ksh").err)
        self.assertIn("\x1b[1;31merror[E0002]:\x1b[0m",
                      self.arrowalloy("completion", "ksh", "--color=always").err)
        self.assertIn("\x1b[1;31m", on_terminal("completion", "ksh"))
        self.assertNotIn("\x1b", on_terminal("completion", "ksh", "--color=never"))
        self.assertNotIn("\x1b", on_terminal("completion", "ksh", NO_COLOR="1"))
        self.assertNotIn("\x1b", on_terminal("completion", "ksh", TERM="dumb"))

    def test_a_full_disk_behind_standard_output_is_a_failure(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, "completion", "bash"], stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(done.returncode, 3)
        self.assertIn("standard output", done.stderr)
