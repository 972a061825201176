# SPDX-License-Identifier: MIT
"""arrowalloy run: what comes in. Files of every format, well and badly made, by every way."""

import csv
import gzip
import io
import os
import pathlib
import re
import socket
import subprocess
import threading

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet

from support import BUILD, LIMIT, PROGRAM, ROOT, CommandTest

ECHO = BUILD / "backends/echo_c.so"
SCORE = BUILD / "backends/score_cpp.so"
HEADERS = pathlib.Path(pa.get_include())
DECISIONS = ROOT / "cmd/arrowalloy_run/input/read_options.cc"


def parquet(table, **options):
    sink = io.BytesIO()
    pa.parquet.write_table(table, sink, **options)
    return sink.getvalue()


def stream(table, **options):
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, **options) as writer:
        writer.write_table(table, max_chunksize=300)
    return sink.getvalue()


def ipc_file(table, **options):
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema, **options) as writer:
        writer.write_table(table, max_chunksize=300)
    return sink.getvalue()


def as_csv(table):
    sink = io.BytesIO()
    pa.csv.write_csv(table, sink)
    return sink.getvalue()


def zstd(data):
    return pa.Codec("zstd").compress(data, asbytes=True)


FORMATS = {"parquet": parquet, "arrows": stream, "arrow": ipc_file, "csv": as_csv}


class InputTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.table = pa.table({
            "name": [f"p{i}" if i % 7 else None for i in range(1000)],
            "x": pa.array([i / 4 if i % 5 else None for i in range(1000)], pa.float64()),
            "y": pa.array(list(range(1000)), pa.int64())})

    def write(self, name, data):
        path = self.here / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def echo(self, *arguments, **more):
        """The rows of an input, and what was said about it."""
        done = self.succeed("run", ECHO, "echo", "--allow-unsigned", "--progress", "none",
                            "-o", "out.arrow", *arguments, **more)
        with pa.OSFile(str(self.here / "out.arrow")) as source:
            return pa.ipc.open_file(source).read_all(), done.err

    def refused(self, *arguments, code=3, number="E0101", library=ECHO, function="echo",
                **more):
        return self.refuse(code, number, "run", library, function, "--allow-unsigned",
                           "--progress", "none", "-o", "out.arrow", *arguments, **more).err

    def columns(self, text, *arguments):
        """A CSV text as {name: values}, and the types."""
        table, said = self.echo("-i", self.write("in.csv", text), *arguments)
        self.said = said
        return table.to_pydict(), [str(field.type) for field in table.schema]


class FormatTest(InputTest):
    def test_the_first_bytes_decide_and_not_the_name(self):
        for kind, write in FORMATS.items():
            for name in ("x.parquet", "x.arrow", "x.arrows", "x.csv", "x.dat", "x"):
                if kind == "csv" and name in ("x.parquet", "x.arrow", "x.arrows"):
                    continue  # text with such a name is an error, see below
                with self.subTest(kind=kind, name=name):
                    table, _ = self.echo("-i", self.write(name, write(self.table)))
                    self.assertEqual(table, self.table)

    def test_compressed_files_are_read_whatever_their_name(self):
        for kind, write in FORMATS.items():
            for pack in (gzip.compress, zstd):
                for name in ("x.csv", "x.csv.gz", "x.zst"):
                    with self.subTest(kind=kind, pack=pack.__name__, name=name):
                        packed = pack(write(self.table))
                        table, _ = self.echo("-i", self.write(name, packed))
                        self.assertEqual(table, self.table)
        halves = as_csv(self.table)
        members = gzip.compress(halves[:5000]) + gzip.compress(halves[5000:])
        self.assertEqual(self.echo("-i", self.write("two.gz", members))[0], self.table)

    def test_what_is_not_read_is_named(self):
        cases = {"a zip archive": b"PK\x03\x04rest of it", "xz": b"\xfd7zXZ\0" + bytes(20),
                 "ORC": b"ORC\x08\x03\x10\x00" + bytes(9), "Avro": b"Obj\x01" + bytes(20),
                 "a SQLite database": b"SQLite format 3\0" + bytes(20),
                 "text in UTF-16": "a,b\n1,2\n".encode("utf-16"),
                 "encrypted Parquet": b"PARE" + bytes(20), "unknown": bytes(range(32)),
                 "empty": b""}
        for what, data in cases.items():
            with self.subTest(what=what):
                self.assertIn(what, self.refused("-i", self.write("x.csv", data)))

    def test_text_that_is_called_otherwise_is_an_error(self):
        for name in ("x.parquet", "x.arrow", "x.arrows", "x.feather"):
            said = self.refused("-i", self.write(name, "<html>Not found</html>\n"))
            self.assertIn("<html>", said)
            self.assertIn("--format csv", said)
        table, _ = self.echo("-i", self.write("x.parquet", "a\n1\n"), "--format", "csv")
        self.assertEqual(table.to_pydict(), {"a": [1]})
        # A name of a column may begin like a file.
        table, _ = self.echo("-i", self.write("golf.csv", "PAR1,PAR2,PAR3,PAR4\n3,4,5,6\n"))
        self.assertEqual(table.column_names, ["PAR1", "PAR2", "PAR3", "PAR4"])

    def test_a_format_that_is_asked_for_must_be_there(self):
        for kind, write in FORMATS.items():
            path = self.write("x", write(self.table))
            for other in FORMATS:
                if other != kind:
                    with self.subTest(kind=kind, other=other):
                        said = self.refused("-i", path, "--format", other, code=2,
                                            number="E0002")
                        self.assertIn(f"--format is {other}", said)

    def test_errors_of_the_system_keep_their_reason(self):
        self.assertIn("No such file or directory", self.refused("-i", "absent.parquet"))
        self.write("file", "x\n")
        self.assertIn("Not a directory", self.refused("-i", "file/in.csv"))
        if os.geteuid() != 0:
            self.write("secret.csv", "x\n1\n").chmod(0)
            self.assertIn("Permission denied", self.refused("-i", "secret.csv"))


class PipeTest(InputTest):
    def ways(self, data):
        """The arguments of subprocess.run for each way to hand over the bytes."""
        path = self.write("data", data)
        for name in ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"):
            yield name, name, {"input": data}
            yield name + " from a file", name, {"stdin": open(path, "rb")}
        prefixed = open(self.write("prefixed", b"12345" + data), "rb")
        os.lseek(prefixed.fileno(), 5, os.SEEK_SET)
        yield "the rest of a file", "-", {"stdin": prefixed}
        reader, writer = os.pipe()
        threading.Thread(target=self.send, args=(writer, data)).start()
        yield "<(command)", f"/dev/fd/{reader}", {"pass_fds": [reader]}
        os.close(reader)
        fifo = self.here / "fifo"
        if not fifo.exists():
            os.mkfifo(fifo)
        threading.Thread(target=lambda: fifo.write_bytes(data)).start()
        yield "a FIFO", fifo, {"stdin": subprocess.DEVNULL}
        ours, theirs = socket.socketpair()
        threading.Thread(target=lambda: (ours.sendall(data), ours.close())).start()
        yield "a socket", "/dev/stdin", {"stdin": theirs}

    @staticmethod
    def send(writer, data):
        with open(writer, "wb") as sink:
            sink.write(data)

    def test_every_format_comes_through_every_pipe(self):
        packed = {"csv.gz": lambda table: gzip.compress(as_csv(table))}
        for kind, write in {**FORMATS, **packed}.items():
            for way, path, how in self.ways(write(self.table)):
                with self.subTest(kind=kind, way=way):
                    done = subprocess.run(
                        [PROGRAM, "run", ECHO, "echo", "--allow-unsigned", "-i", path, "-o",
                         "out.arrow", "-q"], cwd=self.here, capture_output=True,
                        timeout=LIMIT, **how)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    with pa.OSFile(str(self.here / "out.arrow")) as source:
                        self.assertEqual(pa.ipc.open_file(source).read_all(), self.table)
                for value in how.values():
                    if hasattr(value, "close"):
                        value.close()

    def test_a_batch_of_a_pipe_does_not_wait_for_the_next(self):
        process = subprocess.Popen(
            [PROGRAM, "run", ECHO, "echo", "--allow-unsigned", "-i", "-", "-o", "-", "-q"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        with process:
            table = self.table.slice(0, 3)
            writer = pa.ipc.new_stream(process.stdin, table.schema)
            writer.write_table(table)
            process.stdin.flush()
            first = pa.ipc.open_stream(process.stdout).read_next_batch()
            self.assertEqual(pa.table(first), table)
            writer.close()
            process.stdin.close()
            self.assertEqual(process.wait(timeout=LIMIT), 0)


class DamageTest(InputTest):
    def test_a_file_that_is_cut_off_anywhere_is_an_error(self):
        small = self.table.slice(0, 400)
        for kind, whole in {
                "parquet": parquet(small), "arrow": ipc_file(small), "arrows": stream(small),
                "arrow_zstd": ipc_file(small, options=pa.ipc.IpcWriteOptions(
                    compression="zstd")),
                "csv.gz": gzip.compress(as_csv(small)), "csv.zst": zstd(as_csv(small))}.items():
            for part in range(1, 16):
                with self.subTest(kind=kind, part=part):
                    cut = whole[:len(whole) * part // 16]
                    said = self.refused("-i", self.write("in", cut))
                    self.assertIn("at: in", said.replace(str(self.here) + "/", ""))

    def test_a_stream_without_its_end_marker_is_an_error_after_any_batch(self):
        whole = stream(self.table)
        message = whole.index(b"\xff\xff\xff\xff", 8)
        cuts = [len(whole) - 8]
        while message > 0 and message < len(whole) - 8:
            cuts.append(message)
            message = whole.find(b"\xff\xff\xff\xff", message + 8)
        self.assertGreaterEqual(len(cuts), 4)
        for cut in cuts:
            said = self.refused("-i", self.write("in.arrows", whole[:cut]))
            self.assertRegex(said, r"without its end marker|byte \d+")

    def test_views_outside_their_buffers_are_an_error(self):
        for length, buffer, offset in ((3000, 0, 0), (20, 0, 15), (20, 1, 0), (20, -1, 0),
                                       (-5, 0, 0), (20, 0, -4), (2**31 - 1, 0, 2**31 - 1)):
            view = (length.to_bytes(4, "little", signed=True) + b"abcd"
                    + buffer.to_bytes(4, "little", signed=True)
                    + offset.to_bytes(4, "little", signed=True))
            for kind in (pa.string_view(), pa.binary_view()):
                column = pa.Array.from_buffers(
                    kind, 1, [None, pa.py_buffer(view), pa.py_buffer(b"abcd" * 5)])
                table = pa.Table.from_arrays([column], ["v"])
                for write in (stream, ipc_file):
                    with self.subTest(view=(length, buffer, offset), kind=kind):
                        self.refused("-i", self.write("in", write(table)))

    def test_offsets_indices_and_text_are_checked_in_dictionaries_too(self):
        def broken(kind, *buffers):
            return pa.Array.from_buffers(kind, 2, [None, *map(pa.py_buffer, buffers)])

        def offsets(*values):
            return b"".join(value.to_bytes(4, "little", signed=True) for value in values)

        text = broken(pa.utf8(), offsets(0, 1, 2), b"\xff\xfe")
        whole = broken(pa.utf8(), offsets(0, 1, 2), b"ab")
        index = broken(pa.int32(), offsets(0, 7))
        columns = {
            "text": text, "far": whole, "back": whole,
            "index": pa.DictionaryArray.from_arrays(index, pa.array(["a"]), safe=False),
            "words": pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int32()), text,
                                                    safe=False),
            "list": pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), text)}
        for name, column in columns.items():
            for write in (stream, ipc_file):
                with self.subTest(name=name, write=write.__name__):
                    data = write(pa.Table.from_arrays([column], [name]))
                    # pyarrow itself makes no such offsets.
                    ends = {"far": (0, 1, 2**30), "back": (0, 2, 1)}.get(name, (0, 1, 2))
                    data = data.replace(offsets(0, 1, 2), offsets(*ends))
                    self.refused("-i", self.write("in", data))

    def test_text_in_parquet_that_is_not_utf8_is_an_error(self):
        column = pa.array([b"caf\xe9"])
        bad = pa.Array.from_buffers(pa.utf8(), 1, column.buffers())
        said = self.refused("-i", self.write("in", parquet(pa.Table.from_arrays([bad], ["t"]))))
        self.assertIn("UTF8", said)

    def test_impossible_sizes_are_refused(self):
        numbers = pa.table({"n": pa.array([7] * 5000), "t": ["seven"] * 5000})
        for codec, magic in (("lz4", b"\x04\x22\x4d\x18"), ("zstd", b"\x28\xb5\x2f\xfd")):
            options = pa.ipc.IpcWriteOptions(compression=codec)
            for write in (stream, ipc_file):
                whole = write(numbers, options=options)
                at = whole.index(magic) - 8
                for claim in (2**40, 2**62, -7):
                    changed = (whole[:at] + claim.to_bytes(8, "little", signed=True)
                               + whole[at + 8:])
                    said = self.refused("-i", self.write("in", changed))
                    self.assertIn("claims", said)

    def test_a_record_without_an_end_is_an_error_and_not_all_memory(self):
        bomb = zstd(b"a,b\n1,\"" + b"x" * (300 << 20))
        self.assertLess(len(bomb), 1 << 20)
        self.assertIn("quote", self.refused("-i", self.write("in.csv.zst", bomb)))


class CsvTest(InputTest):
    def test_records_stay_whole_wherever_a_block_ends(self):
        for end in ("\n", "\r\n"):
            for shift in range(4):
                # 16 bytes a record, so that blocks end inside, between and after each break.
                row = f'1234,"a{end}b"{end}'
                row = row.replace("1234", "1" * (16 - len(row) + 4))
                data = "id,te" + "x" * shift + f"t{end}" + row * 140000
                rows = list(csv.reader(io.StringIO(data, newline="")))[1:]
                for pack in (str.encode, lambda text: gzip.compress(text.encode(), 1)):
                    with self.subTest(end=end, shift=shift, pack=pack):
                        table, _ = self.echo("-i", self.write("in.csv", pack(data)))
                        self.assertEqual(table.num_rows, len(rows))
                        self.assertEqual(table.column(1).unique().to_pylist(), [f"a{end}b"])

    def test_line_breaks_between_blocks_make_no_rows(self):
        for end in ("\n", "\r\n", "\r"):
            for shift in range(3):
                data = "x" * (6 + shift) + end + ("12345" + end) * 400000
                table, _ = self.echo("-i", self.write("in.csv", data))
                self.assertEqual(table.num_rows, 400000, (end, shift))
                self.assertEqual(table.column(0).null_count, 0)

    def test_a_record_may_be_longer_than_a_block(self):
        long = "y" * (9 << 20) + "\n" + "z" * (3 << 20)
        values, _ = self.columns(f'a,b\n1,"{long}"\n2,short\n')
        self.assertEqual(values, {"a": [1, 2], "b": [long, "short"]})

    def test_a_function_gets_the_types_that_it_declares(self):
        def score(text):
            self.write("in.csv", text)
            self.succeed("run", SCORE, "score", "--allow-unsigned", "-i", "in.csv", "-o",
                         "out.arrow", "-q")
            with pa.OSFile(str(self.here / "out.arrow")) as source:
                return pa.ipc.open_file(source).read_all()["score"].to_pylist()

        self.assertEqual(score("x,y\n1,2\n"), [2.0])
        self.assertEqual(score("y,other,x\n2,a,1\n"), [2.0])
        self.assertEqual(score("x,y\n"), [])
        self.assertEqual(score("x,y"), [])
        self.assertEqual(score("x,y\n,\n,2\n"), [None, None])
        self.assertEqual(score('x,y\n"1.5","2"\n'), [3.0])
        said = self.refused("-i", self.write("in.csv", "x,y\n1,2\n1,2.5\n"), library=SCORE,
                            function="score")
        self.assertRegex(said, r"row 2 \(line 3\), column y: `2.5` is not int64")

    def test_a_guess_loses_no_value(self):
        for texts, kind, values in (
                (["1", "-2"], "int64", [1, -2]),
                (["1", "2.5"], "double", [1.0, 2.5]),
                (["nan", "inf", "-0"], "double", None),
                (["007", "1"], "string", ["007", "1"]),
                (["00.5", "1"], "string", ["00.5", "1"]),
                (['"1"', "2"], "string", ["1", "2"]),
                (["18446744073709551615", "1"], "uint64", [2**64 - 1, 1]),
                (["18446744073709551616", "1"], "string", ["18446744073709551616", "1"]),
                (["9007199254740993", "0.5"], "string", ["9007199254740993", "0.5"]),
                (["12345678901234567.25", "1"], "string", ["12345678901234567.25", "1"]),
                (["true", "FALSE"], "bool", [True, False]),
                (["true", "1"], "string", ["true", "1"]),
                (["2024-02-29", "1999-01-01"], "date32[day]", None),
                (["2024-02-30", "1999-01-01"], "string", ["2024-02-30", "1999-01-01"]),
                (["12:00:00", "01:02:03"], "time32[s]", None),
                (["2024-01-01 00:00:00", "2024-01-01T01:00:00"], "timestamp[s]", None),
                (["2024-01-01 00:00:00", "2024-01-01 00:00:00.5"], "timestamp[ms]", None),
                (["2024-01-01 00:00:00.123456", ""], "timestamp[us]", None),
                (["2024-01-01T00:00:00Z", "2024-01-01T00:00:00+02:00"], "timestamp[s, tz=UTC]",
                 None),
                (["2024-01-01T00:00:00Z", "2024-01-01T00:00:00"], "string", None),
                (["", ""], "string", [None, None]),
                (["", '""'], "string", [None, ""]),
                (["NA", "null", ""], "string", ["NA", "null", None]),
                ([" 1", "2"], "string", [" 1", "2"])):
            with self.subTest(texts=texts):
                rows = "".join(f"{text},1\n" for text in texts)
                found, types = self.columns("v,w\n" + rows)
                self.assertEqual(types[0], kind)
                if values is not None:
                    self.assertEqual(found["v"], values)

    def test_a_value_far_behind_is_read_or_named(self):
        empty = "id,v\n" + "1,\n" * 3000000
        table, _ = self.echo("-i", self.write("in.csv", empty + "2,late\n"))
        self.assertEqual(table["v"][-1].as_py(), "late")
        whole = "id,v\n" + "1,1\n" * 2500000
        said = self.refused("-i", self.write("in.csv", whole + "2,1.5\n"))
        self.assertRegex(said, r"row 2500001 \(line 2500002\), column v: `1.5` is not int64")
        self.assertIn("--cast v=float64", said)
        self.refused("-i", "in.csv", "--cast", "v=int64")
        table, _ = self.echo("-i", "in.csv", "--cast", "v=float64")
        self.assertEqual(table["v"][-1].as_py(), 1.5)

    def test_an_error_names_row_line_and_column(self):
        before = 'a,b\n1,"two\nlines"\n\n'
        for row, expected in (
                ("1,2,3\n", r"row 2 \(line 5\) has 3 fields, but the file has 2 columns"),
                ("1\n", r"row 2 \(line 5\) has 1 field,"),
                ("x,y\n", r"row 2 \(line 5\), column a: `x` is not int64"),
                ("NA,y\n", r"--null 'NA'"),
                ('1,"y\n', r"line 5: .*quote is not closed")):
            with self.subTest(row=row):
                said = self.refused("-i", self.write("in.csv", before + row), "--cast",
                                    "a=int64")
                self.assertRegex(said, expected)
        data = b"a,b\n1,x\n2,caf\xe9\n"
        said = self.refused("-i", self.write("in.csv", data))
        self.assertRegex(said, r"row 2 \(line 3\), column b: bytes that are not UTF-8")
        table, _ = self.echo("-i", "in.csv", "--cast", "b=binary")
        self.assertEqual(table["b"].to_pylist(), [b"x", b"caf\xe9"])

    def test_dialects(self):
        same = {"a": ["x", None], "b": [1, 2]}
        for text, options in (
                ("a;b\nx;1\n;2\n", ["--delimiter", ";"]),
                ("a\tb\nx\t1\n\t2\n", ["--delimiter", "tab"]),
                ("a\x01b\nx\x011\n\x012\n", ["--delimiter", "\x01"]),
                ("a|b\n'x'|1\n|2\n", ["--delimiter", "|", "--quote", "'"]),
                ("a,b\nx,1\nNA,2\n", ["--null", "NA"]),
                ("a,b\nx,1\nNULL,2\n", ["--null", "NA", "--null", "NULL"]),
                ("\ufeffa,b\r\nx,1\r\n,2", [])):
            with self.subTest(text=text):
                self.assertEqual(self.columns(text, *options)[0], same)
        self.assertEqual(self.columns('a,b\n"x,1\n', "--quote", "none")[0],
                         {"a": ['"x'], "b": [1]})
        self.assertEqual(self.columns('a,b\n"x\\"y",1\nu\\,v,2\n', "--escape", "\\")[0],
                         {"a": ['x"y', "u,v"], "b": [1, 2]})
        table, _ = self.echo("-i", self.write("in.tsv", "a\tb\n1\t2\n"))
        self.assertEqual(table.to_pydict(), {"a": [1], "b": [2]})
        for wrong in (["--delimiter", "ab"], ["--delimiter", "none"], ["--quote", ","],
                      ["--escape", '"'], ["--delimiter", "é"]):
            self.refused("-i", "in.csv", *wrong, code=2, number="E0002")

    def test_a_first_row_is_not_lost_without_a_word(self):
        for text in ("1,2\n3,4\n", "alice,paris\nbob,paris\n", "2024-01-01,x\n2024-01-02,y\n"):
            values, _ = self.columns(text)
            self.assertIn("--no-header", self.said)
            values, _ = self.columns(text, "--no-header")
            self.assertEqual(list(values), ["f0", "f1"])
            self.assertEqual(len(values["f0"]), 2)
            self.assertNotIn("--no-header", self.said)
        self.columns("name,city\nalice,paris\n")
        self.assertNotIn("warning", self.said)
        self.columns("a;b\n1;2\n")
        self.assertIn("--delimiter ';'", self.said)
        # With as many columns as the function declares, they have its names.
        done = self.succeed("run", SCORE, "score", "--allow-unsigned", "-q", "--no-header",
                            "-i", self.write("in.csv", "1,2\n3,4\n"), "--out-format", "csv")
        self.assertEqual(done.out.split(), ['"score"', "2", "12"])

    def test_one_column_keeps_its_empty_lines(self):
        self.assertEqual(self.columns("v\n1\n\n3\n")[0], {"v": [1, None, 3]})
        self.assertEqual(self.columns('v\na\n""\n\n')[0], {"v": ["a", "", None]})


class ColumnTest(InputTest):
    def test_a_column_may_be_asked_for_twice(self):
        for kind, write in FORMATS.items():
            with self.subTest(kind=kind):
                path = self.write("in", write(self.table))
                table, _ = self.echo("-i", path, "--columns", "y,x,y")
                self.assertEqual(table.column_names, ["y", "x", "y"])
                for place, name in enumerate(("y", "x", "y")):
                    self.assertEqual(table.column(place), self.table[name])

    def test_a_name_that_is_there_twice_is_not_called_missing(self):
        twice = pa.Table.from_arrays([pa.array([1.0]), pa.array([1]), pa.array([2])],
                                     ["x", "y", "y"])
        for kind, write in FORMATS.items():
            with self.subTest(kind=kind):
                path = self.write("in", write(twice))
                done = self.arrowalloy("run", SCORE, "score", "--allow-unsigned", "-i", path,
                                       "-o", "out.arrow")
                self.assertEqual(done.code, 1)
                self.assertIn("more than once", done.err)
                self.assertIn("more than one column `y`", self.refused(
                    "-i", path, "--columns", "y", code=2, number="E0002"))
                self.assertEqual(self.echo("-i", path)[0].column_names, ["x", "y", "y"])


class Int96Test(InputTest):
    def write_int96(self, values, unit):
        column = pa.array(values, pa.timestamp(unit))
        nested = pa.array([[value] for value in values], pa.list_(pa.timestamp(unit)))
        table = pa.table({"t": column, "l": nested, "n": list(range(len(values)))})
        return table, self.write("in.parquet", parquet(
            table, use_deprecated_int96_timestamps=True))

    def test_every_year_is_exact(self):
        # 0001-01-01, 9999-12-31 23:59:59.999999, and microseconds around 1970.
        table, path = self.write_int96(
            [-62135596800000000, 253402300799999999, -1, 0, 1, None], "us")
        found, _ = self.echo("-i", path)
        self.assertEqual(found["t"], table["t"])
        self.assertEqual(found["l"].to_pylist(), table["l"].to_pylist())

    def test_nanoseconds_are_exact_or_an_error(self):
        table, path = self.write_int96([1_700_000_000_000_000_000, 123], "ns")
        said = self.refused("-i", path)
        self.assertRegex(said, r"column t, row 2: .*nanoseconds")
        self.assertIn("timestamp[ns]", said)
        found, _ = self.echo("-i", path, "--columns", "t,n", "--cast", "t=timestamp[ns]")
        self.assertEqual(found["t"], table["t"])
        _, path = self.write_int96([0, 253402300799999999], "us")
        said = self.refused("-i", path, "--columns", "t", "--cast", "t=timestamp[ns]")
        self.assertRegex(said, r"column t, row 2: .*outside timestamp\[ns\]")


class ExtensionTest(InputTest):
    def test_extension_types_are_taken_as_storage_with_their_metadata(self):
        for name, metadata, column in (
                ("arrow.uuid", "", pa.array([b"0" * 16], pa.binary(16))),
                ("arrow.uuid", "", pa.array([b"not 16 bytes"])),
                ("arrow.fixed_shape_tensor", "", pa.array([[1, 2]], pa.list_(pa.int32(), 2))),
                ("arrow.fixed_shape_tensor", "{", pa.array([[1, 2]], pa.list_(pa.int32(), 2))),
                ("arrow.json", "x", pa.array([1])), ("arrow.bool8", "", pa.array(["no"])),
                ("arrow.opaque", "", pa.array([1])), ("acme.unknown", "v1", pa.array([1]))):
            labels = {"ARROW:extension:name": name, "ARROW:extension:metadata": metadata}
            # pyarrow itself may refuse them: so the label is written under a false name.
            false = {key.replace("ARROW", "WORRA"): value for key, value in labels.items()}
            field = pa.field("e", column.type, metadata=false)
            table = pa.Table.from_arrays([column], schema=pa.schema([field]))
            for write in (stream, ipc_file):
                with self.subTest(name=name, write=write.__name__):
                    path = self.write("in", write(table).replace(b"WORRA", b"ARROW"))
                    self.succeed("run", ECHO, "echo", "--allow-unsigned", "-i", path, "-o",
                                 "out.arrow")
                    result = (self.here / "out.arrow").read_bytes()
                    with pa.ipc.open_file(result.replace(b"ARROW:", b"WORRA:")) as back:
                        found = back.read_all()
                    self.assertEqual(found.schema.field(0).type, column.type)
                    self.assertEqual(found.column(0).chunk(0), column)
                    kept = {key.decode(): value.decode()
                            for key, value in found.schema.field(0).metadata.items()}
                    self.assertEqual({key: kept.get(key) for key in false}, false)


class SeveralTest(InputTest):
    def parts(self):
        return [self.table.slice(at, 400) for at in (0, 400, 800)]

    def test_patterns_folders_and_lists_are_one_input(self):
        (self.here / "in").mkdir()
        for i, (part, kind) in enumerate(zip(self.parts(), ("parquet", "csv", "arrows"))):
            order = part.select(["y", "name", "x"]) if i else part
            self.write(f"in/part-{i}", FORMATS[kind](order))
        self.write("in/_SUCCESS", b"")
        self.write("in/.hidden", b"x")
        self.assertEqual(self.echo("-i", "in")[0], self.table)
        self.assertEqual(self.echo("-i", "in/")[0], self.table)
        self.assertEqual(self.echo("-i", "in/part-*")[0], self.table)
        self.assertEqual(self.echo("-i", "in/part-[01]", "--limit", 500)[0],
                         self.table.slice(0, 500))
        done = self.succeed("run", SCORE, "score", "--allow-unsigned", "-o", "out.arrow",
                            "-i", "in/part-2", "-i", "in/part-0")
        self.assertIn("600 rows in, 600 out", done.err)

    def test_csv_files_have_the_types_of_the_first(self):
        self.write("a.csv", "v\n1.5\n")
        self.write("b.csv", "v\n2\n")
        self.assertEqual(self.echo("-i", "*.csv")[0].to_pydict(), {"v": [1.5, 2.0]})
        self.write("b.csv", "v\nword\n")
        self.assertIn("b.csv", self.refused("-i", "*.csv"))

    def test_a_file_that_differs_is_named(self):
        self.write("a.parquet", parquet(pa.table({"x": [1], "y": ["a"]})))
        for other, what in ((pa.table({"x": [1.5], "y": ["b"]}), "`x` is double, not int64"),
                            (pa.table({"x": [1]}), "no column `y`"),
                            (pa.table({"x": [1], "y": ["b"], "z": [0]}), "`z`")):
            self.write("b.parquet", parquet(other))
            said = self.refused("-i", "?.parquet", code=2, number="E0002")
            self.assertIn("b.parquet differs from a.parquet", said)
            self.assertIn(what, said)
        self.write("b.parquet", parquet(pa.table({"x": [1.0], "y": ["b"]})))
        found, _ = self.echo("-i", "?.parquet", "--cast", "x=float64")
        self.assertEqual(found.to_pydict(), {"x": [1.0, 1.0], "y": ["a", "b"]})

    def test_nothing_to_read_is_an_error(self):
        (self.here / "empty").mkdir()
        (self.here / "deep/er").mkdir(parents=True)
        self.assertIn("no file", self.refused("-i", "empty"))
        self.assertIn("no file matches", self.refused("-i", "no-*.csv"))
        self.assertIn("has a folder", self.refused("-i", "deep"))
        # Such characters may be in a name.
        self.assertEqual(self.echo("-i", self.write("[a]*.csv", "v\n1\n"))[0].to_pydict(),
                         {"v": [1]})

    def test_the_last_of_several_pipes_is_read_once(self):
        fifo = self.here / "fifo"
        os.mkfifo(fifo)
        data = stream(self.table)
        threading.Thread(target=lambda: fifo.write_bytes(data)).start()
        first = self.write("first.arrows", data)
        done = self.succeed("run", SCORE, "score", "--allow-unsigned", "-i", first, "-i",
                            fifo, "-o", "out.arrow")
        self.assertIn("2000 rows in", done.err)


class DecisionTest(CommandTest):
    def test_every_read_option_of_arrow_is_decided(self):
        """A new version of Arrow may have new options. Each is named in the table."""
        text = DECISIONS.read_text()
        found = 0
        for header, start in (("arrow/csv/options.h", "struct ARROW_EXPORT ParseOptions"),
                              ("arrow/csv/options.h", "struct ARROW_EXPORT ConvertOptions"),
                              ("arrow/csv/options.h", "struct ARROW_EXPORT ReadOptions"),
                              ("arrow/ipc/options.h", "struct ARROW_EXPORT IpcReadOptions")):
            body = (HEADERS / header).read_text().split(start)[1].split("\n};")[0]
            body = re.sub(r"//.*", "", body)
            for name in re.findall(r"\b(\w+)(?: = [^;()]*(?:\(\))?)?;", body):
                found += 1
                self.assertRegex(text, rf"\b{name}\b", f"{header}: {name} is not decided")
        properties = (HEADERS / "parquet/properties.h").read_text()
        for start in ("class PARQUET_EXPORT ReaderProperties",
                      "class PARQUET_EXPORT ArrowReaderProperties"):
            body = properties.split(start)[1].split("\n};")[0]
            for name in re.findall(r"void (?:set|enable|disable)_(\w+)\(|void (file_\w+)\(",
                                   body):
                found += 1
                name = "".join(name)
                self.assertIn(name, text, f"parquet/properties.h: {name} is not decided")
        self.assertGreater(found, 45)
