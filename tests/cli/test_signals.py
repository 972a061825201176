# SPDX-License-Identifier: MIT
"""Signals, few threads and little memory: commands end, in order, and leave nothing."""

import os
import pathlib
import pwd
import resource
import signal
import subprocess
import tempfile
import time
import unittest

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet

from support import BUILD, LIMIT, PROGRAM, ROOT, CommandTest
from test_output import NO_TMPFILE

ECHO = BUILD / "backends/echo_c.so"
ENDS = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGTERM: 130}

# A backend that never returns its table, and says which process it is in.
HANGS = r"""
#include <stdio.h>
#include <unistd.h>
#include "alloy/backend.h"
ALLOY_EXPORT const alloy_backend* alloy_backend_init(const alloy_services* services,
                                                     alloy_scope* scope) {
  (void)services; (void)scope;
  FILE* file = fopen(PID_FILE, "w");
  if (file != 0) { fprintf(file, "%d\n", (int)getpid()); fclose(file); }
  for (;;) pause();
}
"""


def wait_for(condition, what):
    end = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.01)


def runs(pid):
    """The process is there, and not a zombie that nobody has reaped."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class SignalsTest(CommandTest):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.made = pathlib.Path(folder.name)
        (cls.made / "no_tmpfile.c").write_text(NO_TMPFILE)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", "no_tmpfile.so", "no_tmpfile.c", "-ldl"],
                       cwd=cls.made, check=True, timeout=LIMIT)
        cls.environments = ({}, {"LD_PRELOAD": str(cls.made / "no_tmpfile.so")})

    def names(self):
        return sorted(path.name for path in self.here.iterdir())

    def start_run(self, output, env):
        """A run that waits for more input, with an open output that has data."""
        table = pa.table({"x": list(range(1000))})
        process = subprocess.Popen(
            [PROGRAM, "run", ECHO, "echo", "--allow-unsigned", "-i", "-", "-o", output,
             "--out-format", "csv", "--progress", "json"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.here,
            env={**os.environ, **env})
        writer = pa.ipc.new_stream(process.stdin, table.schema)
        writer.write_table(table)
        process.stdin.flush()
        for line in process.stderr:
            if b'"rows_out":1000' in line:
                break
        return process

    def close(self, process):
        try:
            process.stdin.close()
        except BrokenPipeError:
            pass

    def test_each_signal_ends_a_run_with_its_code_and_without_a_file(self):
        for env in self.environments:
            for number, code in ENDS.items():
                for times in (1, 2):
                    with self.subTest(signal=number.name, times=times, env=env):
                        (self.here / "out.csv").write_text("old")
                        process = self.start_run("out.csv", env)
                        with process:
                            if env:
                                self.assertEqual(len(self.names()), 2)
                            for _ in range(times):
                                process.send_signal(number)
                                time.sleep(0.05)
                            self.assertEqual(process.wait(timeout=LIMIT), code)
                            self.close(process)
                        self.assertEqual(self.names(), ["out.csv"])
                        self.assertEqual((self.here / "out.csv").read_text(), "old")

    def test_a_crash_and_a_kill_leave_no_file_either(self):
        for env in self.environments:
            for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT, signal.SIGKILL):
                if env and number == signal.SIGKILL:
                    continue  # nobody can clean up, and the file system has no unnamed files
                with self.subTest(signal=number.name, env=env):
                    process = self.start_run("out.csv", env)
                    with process:
                        process.send_signal(number)
                        self.assertEqual(process.wait(timeout=LIMIT), -number)
                        self.close(process)
                    self.assertEqual(self.names(), [])

    def test_a_signal_that_the_parent_ignores_stays_ignored(self):
        for number in (signal.SIGHUP, signal.SIGINT):
            before = signal.signal(number, signal.SIG_IGN)
            try:
                process = self.start_run("out.csv", {})
            finally:
                signal.signal(number, before)
            with process:
                process.send_signal(number)
                time.sleep(0.2)
                self.assertIsNone(process.poll())
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(timeout=LIMIT), 130)
                self.close(process)

    def test_a_reader_that_ends_ends_the_run_with_141(self):
        table = pa.table({"x": list(range(200_000))})
        pa.csv.write_csv(table, self.here / "in.csv")
        script = (f"'{PROGRAM}' run '{ECHO}' echo --allow-unsigned -q -i in.csv -o - "
                  "--out-format {} 2>/dev/null | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}")
        for form in ("csv", "arrows", "parquet"):
            done = subprocess.run(["bash", "-c", script.format(form)], cwd=self.here, text=True,
                                  capture_output=True, timeout=LIMIT)
            self.assertEqual(done.stdout, "141\n", (form, done.stderr))

    def hanging_backend(self):
        (self.here / "hangs.c").write_text(HANGS)
        subprocess.run(["cc", "-shared", "-fPIC", f"-I{ROOT}/include",
                        f'-DPID_FILE="{self.here}/pid"', "-o", "hangs.so", "hangs.c",
                        f"-Wl,--version-script={ROOT}/cmake/alloy_backend.map"], cwd=self.here,
                       check=True, timeout=LIMIT)
        self.succeed("keygen", "--out", "dev", "-q")
        self.succeed("sign", "hangs.so", "--key", "dev.key", "--cert", "dev.crt", "--name", "x",
                     "--version", "1")
        return "hangs.so"

    def test_child_processes_end_with_the_command(self):
        library = self.hanging_backend()
        before = self.names()
        commands = (["inspect", library, "--certificate", "@dev.crt"],
                    ["test", library],
                    ["sign", library, "--key", "dev.key", "--cert", "dev.crt", "-o", "new.sig"])
        for command in commands:
            for number in (*ENDS, signal.SIGKILL):
                with self.subTest(command=command[0], signal=number.name):
                    (self.here / "pid").unlink(missing_ok=True)
                    process = subprocess.Popen([PROGRAM, *command], cwd=self.here,
                                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                    with process:
                        wait_for(lambda: (self.here / "pid").exists()
                                 and (self.here / "pid").read_text().endswith("\n"), "the child")
                        child = int((self.here / "pid").read_text())
                        self.assertTrue(runs(child))
                        process.send_signal(number)
                        self.assertEqual(process.wait(timeout=LIMIT), ENDS.get(number, -number))
                        wait_for(lambda: not runs(child), "the end of the child")
                    (self.here / "pid").unlink()
                    self.assertEqual(self.names(), before)


class LimitsTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.here.chmod(0o777)
        table = pa.table({"x": list(range(300_000)), "s": [f"name{i}" for i in range(300_000)]})
        pa.csv.write_csv(table, self.here / "in.csv")
        pa.parquet.write_table(table, self.here / "in.parquet", row_group_size=50_000)
        with pa.ipc.new_stream(self.here / "in.arrows", table.schema) as writer:
            writer.write_table(table, max_chunksize=20_000)

    def limited(self, source, form, limit):
        out = self.here / f"out.{form}"
        out.unlink(missing_ok=True)
        done = subprocess.run(
            [PROGRAM, "run", ECHO, "echo", "--allow-unsigned", "-q", "-i", source, "-o", out],
            cwd=self.here, capture_output=True, text=True, errors="replace", timeout=LIMIT,
            preexec_fn=limit)
        self.assertIn(done.returncode, (0, 3), (source, form, done.stderr[-500:]))
        if done.returncode == 3:
            self.assertIn("error[E", done.stderr)
            self.assertFalse(out.exists())
        else:
            self.assertTrue(out.exists())
        return done.returncode

    @unittest.skipUnless(os.geteuid() == 0, "only root can become a user with a limit of its own")
    def test_few_threads_end_in_a_result_or_an_error(self):
        nobody = pwd.getpwnam("nobody").pw_uid
        codes = []
        for threads in (1, 2, 4, 6, 9, 11, 12, 13, 14, 15, 30):
            def limit(threads=threads):
                resource.setrlimit(resource.RLIMIT_NPROC, (threads, threads))
                os.setgid(nobody)
                os.setuid(nobody)
            for source, form in (("in.csv", "arrows"), ("in.parquet", "csv"),
                                 ("in.arrows", "parquet")):
                with self.subTest(threads=threads, source=source):
                    codes.append(self.limited(source, form, limit))
        self.assertEqual((codes[0], codes[-1]), (3, 0))

    def test_little_memory_ends_in_a_result_or_an_error(self):
        codes = []
        for megabytes in (*range(150, 700, 50), 1000, 4000):
            def limit(megabytes=megabytes):
                size = megabytes << 20
                resource.setrlimit(resource.RLIMIT_AS, (size, size))
            for source, form in (("in.csv", "arrows"), ("in.parquet", "csv"),
                                 ("in.arrows", "parquet")):
                with self.subTest(megabytes=megabytes, source=source):
                    codes.append(self.limited(source, form, limit))
        self.assertEqual(codes[-1], 0)


if __name__ == "__main__":
    unittest.main()
