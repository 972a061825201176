# SPDX-License-Identifier: MIT
"""arrowalloy run: files, pipes and tables through a function."""

import json
import os
import pathlib
import pty
import signal
import subprocess
import unittest

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet

from support import BUILD, LIMIT, MODE, PROGRAM, CommandTest

ROWS = 1000


def backend(name):
    return BUILD / "backends" / f"{name}.so"


def points(rows=ROWS):
    return pa.table({
        "name": pa.array([f"p{i}" if i % 7 else None for i in range(rows)]),
        "x": pa.array([i / 4 if i % 5 else None for i in range(rows)], pa.float64()),
        "y": pa.array(list(range(rows)), pa.int64())})


def scores(table):
    pairs = zip(table["x"].to_pylist(), table["y"].to_pylist())
    return [None if x is None or y is None else x * y for x, y in pairs]


class RunTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.table = points()

    def write(self, name, table=None):
        table = self.table if table is None else table
        path = self.here / name
        if name.endswith(".parquet"):
            pa.parquet.write_table(table, path, row_group_size=300)
        elif name.endswith(".csv"):
            pa.csv.write_csv(table, path)
        elif name.endswith(".arrow"):
            with pa.ipc.new_file(path, table.schema) as writer:
                writer.write_table(table, max_chunksize=300)
        else:
            with pa.ipc.new_stream(path, table.schema) as writer:
                writer.write_table(table, max_chunksize=300)
        return path

    def read(self, name):
        path = self.here / name
        if name.endswith(".parquet"):
            return pa.parquet.read_table(path)
        if name.endswith(".csv"):
            # A null in the only column is an empty line.
            lines = pa.csv.ParseOptions(ignore_empty_lines=False)
            return pa.csv.read_csv(path, parse_options=lines)
        with pa.memory_map(str(path)) as source:
            opened = pa.ipc.open_file(source) if name.endswith(".arrow") \
                else pa.ipc.open_stream(source)
            return opened.read_all()

    def run_score(self, *more, **options):
        return self.arrowalloy("run", backend("score_cpp"), "score", "--allow-unsigned",
                               *more, **options)

    def left(self):
        """The names in the folder."""
        return sorted(path.name for path in self.here.iterdir())

    def test_every_format_goes_in_and_comes_out(self):
        for source in ("in.parquet", "in.csv", "in.arrow", "in.arrows"):
            self.write(source)
            for result in ("out.parquet", "out.csv", "out.arrow", "out.arrows"):
                with self.subTest(source=source, result=result):
                    done = self.run_score("-i", source, "-o", result)
                    self.assertEqual(done.code, 0, done.err)
                    self.assertEqual(self.read(result)["score"].to_pylist(),
                                     scores(self.table))
                    self.assertIn("1000 rows in, 1000 out", done.err)
                    self.assertEqual(done.out, "")

    def test_pipes_carry_ipc_streams(self):
        source = self.write("in.arrows").read_bytes()
        done = subprocess.run(
            [PROGRAM, "run", *MODE, backend("score_cpp"), "score", "--allow-unsigned", "-i", "-",
             "-o", "-"], input=source, capture_output=True, timeout=LIMIT, cwd=self.here)
        self.assertEqual(done.returncode, 0, done.stderr)
        result = pa.ipc.open_stream(done.stdout).read_all()
        self.assertEqual(result["score"].to_pylist(), scores(self.table))

    def test_a_terminal_gets_a_table(self):
        self.write("in.parquet")
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [PROGRAM, "run", *MODE, backend("score_cpp"), "score", "--allow-unsigned", "-i",
             "in.parquet", "-q"], stdout=theirs, stderr=subprocess.PIPE, cwd=self.here)
        os.close(theirs)
        text = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            text += part
        os.close(ours)
        with process:
            self.assertEqual(process.wait(timeout=LIMIT), 0, process.stderr.read())
        lines = text.decode().split("\r\n")
        self.assertEqual(lines[0].strip(), "score")
        self.assertEqual(lines[1].strip(), "double")
        self.assertEqual(lines[3].strip(), "null")
        self.assertEqual(lines[-2], "… 960 more rows")

    def test_only_declared_columns_are_read(self):
        self.write("in.parquet")
        done = self.run_score("-i", "in.parquet", "-o", "out.arrow", "--columns", "x,y")
        self.assertEqual(done.code, 0, done.err)
        done = self.run_score("-i", "in.parquet", "-o", "out.arrow", "--columns", "x,name")
        self.assertEqual(done.code, 1)
        self.assertIn("y", done.err)

    def test_limit_and_batch_rows_cut(self):
        self.write("in.parquet")
        done = self.run_score("-i", "in.parquet", "-o", "out.arrows", "--limit", 450,
                              "--batch-rows", 100)
        self.assertEqual(done.code, 0, done.err)
        with pa.OSFile(str(self.here / "out.arrows")) as source:
            sizes = [len(batch) for batch in pa.ipc.open_stream(source)]
        self.assertEqual(sum(sizes), 450)
        self.assertLessEqual(max(sizes), 100)
        self.assertEqual(self.read("out.arrows")["score"].to_pylist(),
                         scores(self.table.slice(0, 450)))

    def test_a_cast_makes_a_column_fit(self):
        table = self.table.set_column(2, "y", self.table["y"].cast(pa.utf8()))
        for name in ("in.parquet", "in.arrow", "in.csv"):
            self.write(name, table)
        refused = self.run_score("-i", "in.parquet", "-o", "out.arrow")
        self.assertEqual(refused.code, 1)
        self.assertIn("wrong type", refused.err)
        for name in ("in.parquet", "in.arrow", "in.csv"):
            done = self.run_score("-i", name, "-o", "out.arrow", "--cast", "y=int64")
            self.assertEqual(done.code, 0, done.err)
            self.assertEqual(self.read("out.arrow")["score"].to_pylist(),
                             scores(self.table))

    def test_a_missing_column_is_reported_with_the_columns_of_the_input(self):
        self.write("in.csv", self.table.rename_columns(["name", "X", "y"]))
        refused = self.run_score("-i", "in.csv", "-o", "out.csv")
        self.assertEqual(refused.code, 1)
        self.assertIn("help: the input has the columns name, X, y; choose columns", refused.err)

    def test_wrong_arguments_are_refused(self):
        self.write("in.parquet")
        score = ("run", backend("score_cpp"), "score", "--allow-unsigned", "-o", "out.csv")
        self.refuse(2, "E0002", *score, "-i", "in.parquet", "--cast", "y")
        self.refuse(2, "E0002", *score, "-i", "in.parquet", "--cast", "y=number")
        self.refuse(2, "E0002", *score, "-i", "in.parquet", "--cast", "absent=int64")
        self.refuse(2, "E0002", *score, "-i", "in.parquet", "--columns", "x,absent")
        self.refuse(2, "E0002", *score, "-i", "in.parquet", "--set", "nothing")
        self.refuse(2, "E0002", *score, "-i", "in.parquet", "--batch-rows", "0")
        self.refuse(3, "E0101", *score, "-i", "absent.txt")
        self.refuse(3, "E0101", *score, "-i", "absent.parquet")
        self.assertEqual(self.left(), ["in.parquet"])

    def test_a_broken_input_leaves_no_output(self):
        whole = self.write("whole.arrows").read_bytes()
        (self.here / "in.arrows").write_bytes(whole[:len(whole) * 2 // 3])
        done = self.run_score("-i", "in.arrows", "-o", "out.parquet")
        self.assertEqual(done.code, 3, done.err)
        self.assertRegex(done.err, r"error\[E0101\]: .*\nat: in\.arrows\n")
        self.assertEqual(self.left(), ["in.arrows", "whole.arrows"])

    def test_a_value_that_a_cast_cannot_hold_is_reported_with_column_and_file(self):
        self.write("in.parquet", pa.table({"x": [1.0], "y": ["many"]}))
        done = self.run_score("-i", "in.parquet", "-o", "out.arrow", "--cast", "y=int64")
        self.assertEqual(done.code, 3, done.err)
        self.assertRegex(done.err, r"column y cannot be cast to int64.*\nat: in\.parquet\n")
        self.assertEqual(self.left(), ["in.parquet"])

    def test_an_output_that_cannot_be_written_is_reported(self):
        self.write("in.parquet")
        done = self.run_score("-i", "in.parquet", "-o", "absent/out.parquet")
        self.assertEqual(done.code, 3, done.err)
        self.assertIn("absent/out.parquet", done.err)

    def test_an_old_output_stays_until_the_new_one_is_whole(self):
        self.write("in.csv")
        (self.here / "out.csv").write_text("old")
        self.assertNotEqual(self.run_score("-i", "absent.csv", "-o", "out.csv").code, 0)
        self.assertEqual((self.here / "out.csv").read_text(), "old")
        self.assertEqual(self.run_score("-i", "in.csv", "-o", "out.csv").code, 0)
        self.assertEqual(self.read("out.csv")["score"].to_pylist(), scores(self.table))

    def test_progress_can_be_json(self):
        self.write("in.parquet")
        done = self.run_score("-i", "in.parquet", "-o", "out.csv", "--progress", "json",
                              "-q")
        self.assertEqual(done.code, 0, done.err)
        last = json.loads(done.err.splitlines()[-1])
        self.assertEqual((last["rows_in"], last["total"], last["rows_out"]),
                         (ROWS, ROWS, ROWS))

    def test_json_reports_a_success_next_to_a_file_and_next_to_data(self):
        self.write("in.parquet")
        answer = self.run_score("-i", "in.parquet", "-o", "out.csv", "--json").json()
        self.assertEqual((answer["output"], answer["function"], answer["rows_in"],
                          answer["rows_out"]), ("out.csv", "score", ROWS, ROWS))
        done = self.run_score("-i", "in.parquet", "--out-format", "csv", "--json")
        self.assertTrue(done.out.startswith('"score"\n'))
        self.assertEqual(len(done.out.splitlines()), ROWS + 1)
        self.assertEqual(json.loads(done.err.splitlines()[-1])["output"], "standard output")
        done = self.run_score("-i", "in.parquet", "-o", "-", "--out-format", "csv", "--json",
                              "--set", "nothing=1")
        self.assertEqual(done.out, "")
        self.assertIn("error", json.loads(done.err.splitlines()[-1]))

    def test_the_bar_is_erased_before_anything_else_is_written(self):
        self.write("in.parquet")
        for form in ("table", "csv"):
            ours, theirs = pty.openpty()
            # A pipe that is slow to end, so that the bar is drawn.
            producer = subprocess.Popen(
                ["bash", "-c", "head -c 3000 in.arrows; sleep 0.7; tail -c +3001 in.arrows"],
                stdout=subprocess.PIPE, cwd=self.here)
            self.write("in.arrows")
            process = subprocess.Popen(
                [PROGRAM, "run", *MODE, backend("score_cpp"), "score", "--allow-unsigned", "-i", "-",
                 "--out-format", form, "--progress", "plain"], stdin=producer.stdout,
                stdout=theirs, stderr=theirs, cwd=self.here)
            os.close(theirs)
            screen = b""
            try:
                while part := os.read(ours, 4096):
                    screen += part
            except OSError:  # how Linux reports the end of a terminal
                pass
            os.close(ours)
            producer.stdout.close()
            producer.wait(timeout=LIMIT)
            self.assertEqual(process.wait(timeout=LIMIT), 0, screen)
            self.assertIn(b"rows/s", screen)
            if form == "table":
                # What stands before the first line of the table is erased.
                before, _ = screen.split(b"score\r\n", 1)
                self.assertTrue(before.rstrip(b" ").endswith(b"\r\x1b[K"), before[-80:])

    def test_limit_counts_the_rows_of_each_input_in_every_format(self):
        for source in ("in.parquet", "in.csv", "in.arrow", "in.arrows"):
            self.write(source)
            for limit in (0, 1, 299, 300, 301, ROWS, ROWS + 1):
                with self.subTest(source=source, limit=limit):
                    done = self.run_score("-i", source, "-o", "out.arrow", "--limit", limit)
                    self.assertEqual(done.code, 0, done.err)
                    self.assertEqual(self.read("out.arrow").num_rows, min(limit, ROWS))
                    self.assertIn(f"{min(limit, ROWS)} rows in", done.err)

    def test_a_signed_library_can_be_held_to_a_name_a_sequence_and_a_sidecar(self):
        self.write("in.csv")
        trusted = ("--certificate", f"@{BUILD / 'dev.crt'}")
        run = ("run", backend("score_cpp"), "score", *trusted, "-i", "in.csv", "-o", "out.csv")
        table = self.succeed("inspect", backend("score_cpp"), *trusted, "--json").json()
        statement = table["statement"]
        self.succeed(*run, "--name", statement["name"], "--min-sequence", statement["sequence"])
        self.refuse(15, "E2015", *run, "--name", "another")
        self.refuse(15, "E2021", *run, "--min-sequence", statement["sequence"] + 1)
        self.refuse(10, "E2010", *run, "--sidecar", "absent.alloysig")
        (self.here / "moved").write_bytes(
            backend("score_cpp").with_suffix(".so.alloysig").read_bytes())
        self.succeed(*run, "--sidecar", "moved")
        self.refuse(2, "E0002", *run, "--min-sequence", "-1")
        self.refuse(2, "E0002", *run[:-1], "moved", "--out-format", "csv", "--sidecar", "moved")

    def test_a_debugger_can_load_the_file_itself(self):
        self.write("in.csv")
        done = self.run_score("-i", "in.csv", "-o", "out.csv", "--load-plainly")
        self.assertEqual(done.code, 0, done.err)
        self.assertIn("loaded by its path, for debuggers", done.err)

    def test_another_copy_of_a_library_that_the_program_uses_is_named(self):
        self.write("in.csv")
        own = next(pathlib.Path(pa.get_library_dirs()[0]).glob("libarrow.so.*"))
        copy = self.here / own.name
        copy.write_bytes(own.read_bytes())
        for path in (copy, self.here / f"{own.name}.0.1"):
            path.write_bytes(own.read_bytes()) if not path.exists() else None
            done = self.refuse(2, "E0002", "run", backend("score_cpp"), "score",
                               "--allow-unsigned", "-i", "in.csv", "--may-need", path)
            self.assertRegex(done.err, rf"help: pass --may-need \S*/{own.name}")

    def test_an_interrupt_leaves_no_half_file(self):
        schema = self.table.schema
        process = subprocess.Popen(
            [PROGRAM, "run", *MODE, backend("score_cpp"), "score", "--allow-unsigned", "-i", "-",
             "-o", "out.parquet", "--progress", "json"], stdin=subprocess.PIPE,
            stderr=subprocess.PIPE, cwd=self.here)
        with process:
            writer = pa.ipc.new_stream(process.stdin, schema)
            writer.write_table(self.table)
            process.stdin.flush()
            # It prints progress when the output is open. Then it waits for input.
            self.assertIn(b"rows_in", process.stderr.readline())
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGINT)
            code = process.wait(timeout=LIMIT)
            process.stdin.close()
        self.assertEqual(code, 130)
        self.assertEqual(self.left(), [])

    def test_an_unsigned_library_is_refused_unless_it_is_allowed(self):
        self.write("in.csv")
        done = self.arrowalloy("run", backend("score_cpp"), "score", "-i", "in.csv", "-o",
                               "out.csv")
        self.assertEqual(done.code, 10, done.err)
        self.assertEqual(self.left(), ["in.csv"])

    def test_the_backends_own_error_is_exit_code_1(self):
        self.write("in.csv")
        done = self.arrowalloy("run", backend("tests/careless"), "fails_silently",
                               "--allow-unsigned", "-i", "in.csv", "-o", "out.csv",
                               "--columns", "y")
        self.assertEqual(done.code, 1, done.err)
        self.assertIn("function fails_silently", done.err)
        self.assertEqual(self.left(), ["in.csv"])


if __name__ == "__main__":
    unittest.main()
