# SPDX-License-Identifier: MIT
"""What the checks use: the files of a repository, and programs that run in it."""

import fnmatch
import os
import pathlib
import subprocess


class Tree:
    """The files of a folder that git knows or would add."""

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=self.root, capture_output=True, check=True).stdout.decode()
        self.files = sorted(
            {f for f in listed.split("\0") if f and (self.root / f).is_file()})

    def matching(self, *patterns):
        """Files whose path matches a pattern; a star crosses folders."""
        return [f for f in self.files
                if any(fnmatch.fnmatch(f, pattern) for pattern in patterns)]

    def read(self, file):
        return (self.root / file).read_text(encoding="utf-8", errors="replace")

    def program(self, name):
        """A program of .venv where it is there, or else of PATH."""
        own = self.root / ".venv" / "bin" / name
        return str(own) if own.exists() else name

    def run(self, *command, env=None, stdin=None):
        """Runs a program here. Returns its exit code and all its output."""
        try:
            done = subprocess.run(
                command, cwd=self.root, input=stdin, text=True, errors="replace",
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})})
        except FileNotFoundError:
            return 127, f"{command[0]} is not installed: run tools/setup test"
        return done.returncode, done.stdout


def faults_of_run(code, output):
    """The last lines of a program that failed, as faults."""
    if code == 0:
        return []
    lines = [line for line in output.splitlines() if line.strip()]
    return lines[-40:] or [f"exit code {code} and no output"]
