# SPDX-License-Identifier: MIT
"""Runs commands with a log, a clock on the terminal, and a time limit."""

import os
import pathlib
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LIMIT = 20 * 60  # seconds for one command; a suite that hangs is a failure


class Failed(Exception):
    """A command that a suite needs did not succeed."""


def environment():
    go_flags = f"{os.environ.get('GOFLAGS', '')} -buildvcs=false".strip()
    return {
        **os.environ,
        "PATH": f"{ROOT}/.venv/bin:{os.environ['PATH']}",
        "CARGO_TARGET_DIR": str(ROOT / "build/cargo"),
        "CARGO_TERM_COLOR": "never",
        "CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count()),
        "GOFLAGS": go_flags,
    }


def hear_signals():
    """Lets a command hear Ctrl-C and the end of its terminal, also below nohup and `&`."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Log:
    """The log of one suite, which all its commands write to."""

    def __init__(self, name):
        self.name = name
        self.path = ROOT / "build/logs" / f"{name}.log"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("")
        self.start = time.monotonic()

    def write(self, text):
        with self.path.open("a") as log:
            log.write(text)

    def text(self):
        return self.path.read_text(errors="replace")

    def _show(self, what):
        if sys.stdout.isatty():
            took = time.monotonic() - self.start
            print(f"\r\033[K....  {self.name:18} {took:5.0f} s  {what[:50]}", end="", flush=True)

    def run(self, *command, env=None, may_fail=False, cwd=ROOT):
        """Runs a command; its output goes to the log and is returned."""
        shown = " ".join(str(c) for c in command)
        self.write(f"\n$ {shown}\n")
        begin = self.path.stat().st_size
        with self.path.open("ab") as log:
            # A new session: at the limit, everything that the command started ends with it.
            process = subprocess.Popen(
                command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**environment(), **(env or {})}, start_new_session=True,
                preexec_fn=hear_signals)
            deadline = time.monotonic() + LIMIT
            try:
                while True:
                    self._show(shown.replace(f"{ROOT}/", ""))
                    try:
                        code = process.wait(timeout=0.5)
                        break
                    except subprocess.TimeoutExpired:
                        if time.monotonic() > deadline:
                            raise Failed(f"`{shown}` took more than {LIMIT} s") from None
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        if code != 0 and not may_fail:
            raise Failed(f"`{shown}` failed with exit code {code}")
        with self.path.open("rb") as log:
            log.seek(begin)
            return log.read().decode(errors="replace")
