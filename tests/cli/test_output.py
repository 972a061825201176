# SPDX-License-Identifier: MIT
"""Where commands write: devices, FIFOs, sockets, links, folders, full disks, and nothing left.

Each rule holds for every command that writes, because all write through one module.
"""

import os
import pathlib
import shutil
import socket
import stat
import subprocess
import tempfile
import threading
import unittest

import pyarrow as pa
import pyarrow.ipc

from support import BUILD, LIMIT, PROGRAM, ROOT, CommandTest

ECHO = BUILD / "backends/echo_c.so"
AS_ROOT = os.geteuid() == 0

# A file system without O_TMPFILE, as NFS and older overlays are.
NO_TMPFILE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
static int refused(int flags) { return (flags & O_TMPFILE) == O_TMPFILE; }
#define WRAP(name) \
  int name(int folder, const char* path, int flags, ...) { \
    va_list list; va_start(list, flags); int mode = va_arg(list, int); va_end(list); \
    if (refused(flags)) { errno = EOPNOTSUPP; return -1; } \
    return ((int (*)(int, const char*, int, ...))dlsym(RTLD_NEXT, #name))(folder, path, flags, mode); \
  }
WRAP(openat)
WRAP(openat64)
"""


class OutputTest(CommandTest):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.made = pathlib.Path(folder.name)
        subprocess.run(["cc", "-c", "-fPIC", "-O1", f"-I{ROOT}/include",
                        ROOT / "backends/echo_c/echo.c", "-o", "echo.o"], cwd=cls.made,
                       check=True, timeout=LIMIT)
        subprocess.run(["ar", "rcs", "echo.a", "echo.o"], cwd=cls.made, check=True,
                       timeout=LIMIT)
        (cls.made / "no_tmpfile.c").write_text(NO_TMPFILE)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", "no_tmpfile.so", "no_tmpfile.c", "-ldl"],
                       cwd=cls.made, check=True, timeout=LIMIT)
        cls.archive = cls.made / "echo.a"
        cls.without_tmpfile = {"LD_PRELOAD": str(cls.made / "no_tmpfile.so")}

    def setUp(self):
        super().setUp()
        self.table = pa.table({"x": pa.array(range(1000), pa.int64())})
        with pa.ipc.new_stream(self.here / "in.arrows", self.table.schema) as writer:
            writer.write_table(self.table, max_chunksize=100)
        self.succeed("keygen", "--out", "dev", "--quiet")
        shutil.copy(ECHO, self.here / "echo.so")
        self.before = self.names()

    def names(self, folder=None):
        return sorted(path.name for path in (folder or self.here).iterdir())

    def write_large(self):
        large = pa.table({"x": pa.array(range(300_000), pa.int64())})
        with pa.ipc.new_stream(self.here / "large.arrows", large.schema) as writer:
            writer.write_table(large)

    def copy(self, output, *more, **options):
        return self.arrowalloy("run", ECHO, "echo", "--allow-unsigned", "-i", "in.arrows",
                               "--out-format", "arrows", "-o", output, *more, **options)

    def sign(self, output, *more, **options):
        return self.arrowalloy("sign", "echo.so", "--key", "dev.key", "--cert", "dev.crt",
                               "--name", "alloy.echo", "--version", "1.0.0", "-o", output,
                               *more, **options)

    def link(self, output, *more, **options):
        return self.arrowalloy("link", self.archive, "-o", output, *more, **options)

    def each(self):
        """Every command with an output path, and how its file begins."""
        starts = ((self.copy, b"\xff\xff\xff\xff"), (self.sign, b"alloy-statement"),
                  (self.link, b"\x7fELF"))
        for write, start in starts:
            with self.subTest(command=write.__name__):
                yield write, start

    @unittest.skipUnless(AS_ROOT, "only root can make a device")
    def test_a_device_is_written_through_and_stays(self):
        device = self.here / "null"
        try:
            os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
            open(device, "wb").close()
        except PermissionError as error:
            self.skipTest(f"no devices in this container: {error}")
        for write, _ in self.each():
            done = write("null")
            self.assertEqual(done.code, 0, done.err)
            self.assertTrue(stat.S_ISCHR(device.lstat().st_mode))

    def test_a_fifo_gets_the_bytes_and_stays(self):
        os.mkfifo(self.here / "pipe")
        for write, start in self.each():
            got = []
            reader = threading.Thread(
                target=lambda: got.append((self.here / "pipe").read_bytes()))
            reader.start()
            done = write("pipe")
            reader.join(LIMIT)
            self.assertEqual(done.code, 0, done.err)
            self.assertTrue(got[0].startswith(start))
            self.assertTrue(stat.S_ISFIFO((self.here / "pipe").lstat().st_mode))

    def test_a_socket_gets_the_bytes_and_stays_whatever_the_length_of_its_path(self):
        folder = self.here / ("long" * 40)
        folder.mkdir()
        for write, start in self.each():
            server = socket.socket(socket.AF_UNIX)
            os.chdir(folder)
            server.bind("socket")
            server.listen()
            got = []

            def serve(server=server, got=got):
                connection, _ = server.accept()
                with connection, connection.makefile("rb") as stream:
                    got.append(stream.read())

            reader = threading.Thread(target=serve)
            reader.start()
            done = write(folder / "socket")
            self.assertEqual(done.code, 0, done.err)
            reader.join(LIMIT)
            server.close()
            self.assertTrue(got[0].startswith(start))
            self.assertTrue(stat.S_ISSOCK((folder / "socket").lstat().st_mode))
            refused = write(folder / "socket")  # nobody listens any more
            self.assertEqual(refused.code, 3)
            self.assertIn("Connection refused", refused.err)
            (folder / "socket").unlink()
        os.chdir("/")

    def test_own_descriptors_are_written_as_a_shell_would(self):
        command = [PROGRAM, "run", ECHO, "echo", "--allow-unsigned", "-q", "-i", "in.arrows",
                   "--out-format", "csv", "-o"]
        plain = subprocess.run([*command, "-"], cwd=self.here, capture_output=True, check=True)
        for path in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"):
            if path == "link":
                (self.here / "link").symlink_to("/dev/stdout")
            with self.subTest(path=path, to="pipe"):
                done = subprocess.run([*command, path], cwd=self.here, capture_output=True)
                self.assertEqual((done.returncode, done.stdout), (0, plain.stdout), done.stderr)
            with self.subTest(path=path, to="file"):
                with open(self.here / "out", "wb") as out:
                    out.write(b"before\n")
                    out.flush()
                    done = subprocess.run([*command, path], cwd=self.here, stdout=out,
                                          stderr=subprocess.PIPE)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual((self.here / "out").read_bytes(), b"before\n" + plain.stdout)
        done = subprocess.run(["bash", "-c", f"'{PROGRAM}' run '{ECHO}' echo --allow-unsigned -q "
                               "-i in.arrows --out-format csv -o >(cat > got; echo end >> got)"
                               "; wait; sleep 1"], cwd=self.here, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.here / "got").read_bytes(), plain.stdout + b"end\n")

    def test_a_link_is_followed_also_to_a_file_that_is_not_there_yet(self):
        (self.here / "real").mkdir()
        (self.here / "one").symlink_to("two")
        (self.here / "two").symlink_to(self.here / "real/data")
        for write, start in self.each():
            for old in (None, b"old"):
                if old is None:
                    (self.here / "real/data").unlink(missing_ok=True)
                else:
                    (self.here / "real/data").write_bytes(old)
                done = write("one")
                self.assertEqual(done.code, 0, done.err)
                self.assertTrue((self.here / "one").is_symlink())
                self.assertTrue((self.here / "two").is_symlink())
                self.assertTrue((self.here / "real/data").read_bytes().startswith(start))
                self.assertEqual(self.names(self.here / "real"), ["data"])
        (self.here / "circle").symlink_to("circle")
        for write, _ in self.each():
            self.assertEqual(write("circle").code, 3)

    def test_a_file_that_is_replaced_keeps_its_mode_and_owner(self):
        for write, _ in self.each():
            for mode in (0o600, 0o640, 0o666, 0o755):
                path = self.here / "out"
                path.write_text("old")
                path.chmod(mode)
                if AS_ROOT:
                    os.chown(path, 65534, 65534)
                done = write("out")
                self.assertEqual(done.code, 0, done.err)
                self.assertEqual(stat.S_IMODE(path.stat().st_mode), mode)
                if AS_ROOT:
                    self.assertEqual((path.stat().st_uid, path.stat().st_gid), (65534, 65534))

    def test_a_new_file_has_the_mode_of_the_umask(self):
        done = subprocess.run(["bash", "-c", f"umask 077; '{PROGRAM}' run '{ECHO}' echo "
                               "--allow-unsigned -i in.arrows -o new.csv"], cwd=self.here,
                              capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(stat.S_IMODE((self.here / "new.csv").stat().st_mode), 0o600)

    def test_a_folder_is_refused_before_any_work(self):
        (self.here / "folder").mkdir()
        (self.here / "to").symlink_to("folder")
        for path in ("folder", "folder/", "to", "/", ".", "..", "missing/"):
            for write, _ in self.each():
                done = write(path)
                self.assertEqual(done.code, 3, done.err)
                self.assertIn("Is a directory", done.err)
        # Even the library is not looked for.
        done = self.arrowalloy("run", "missing.so", "f", "-o", "folder", "--out-format", "csv")
        self.assertIn("Is a directory", done.err)
        self.assertEqual(self.names(self.here / "folder"), [])

    def test_each_cause_has_its_text_and_its_help(self):
        (self.here / "file").write_text("")
        for write, _ in self.each():
            for path, text, words in (
                    ("absent/out", "No such file or directory", "mkdir -p absent"),
                    ("file/out", "Not a directory", "mkdir -p file"),
                    ("x" * 300, "File name too long", "shorter"),
                    ("/proc/out", "", "help")):
                done = write(path)
                self.assertEqual(done.code, 3, done.err)
                self.assertIn(f"error[E0102]: cannot write {path}", done.err)
                self.assertIn(text, done.err)
                self.assertIn(words, done.err)

    def test_what_is_read_is_never_replaced(self):
        os.link(self.here / "in.arrows", self.here / "hard")
        (self.here / "soft").symlink_to("in.arrows")
        shutil.copy(ECHO, self.here / "lib.so")
        whole = (self.here / "in.arrows").read_bytes()
        for output in ("in.arrows", "./in.arrows", "hard", "soft", self.here / "in.arrows"):
            done = self.copy(output)
            self.assertEqual(done.code, 2, done.err)
            self.assertIn("is also an input (in.arrows)", done.err)
        done = self.arrowalloy("run", "lib.so", "echo", "--allow-unsigned", "-i", "in.arrows",
                               "-o", "lib.so", "--out-format", "csv")
        self.assertIn("is also the library", done.err)
        with open(self.here / "in.arrows", "ab") as output:
            done = subprocess.run([PROGRAM, "run", ECHO, "echo", "--allow-unsigned", "-i",
                                   "in.arrows"], cwd=self.here, stdout=output,
                                  stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 2)
            self.assertIn("standard output is also an input", done.stderr)
        with open(self.here / "in.arrows", "rb") as source:
            done = subprocess.run([PROGRAM, "run", ECHO, "echo", "--allow-unsigned", "-i", "-",
                                   "-o", "in.arrows"], cwd=self.here, stdin=source,
                                  stderr=subprocess.PIPE, text=True)
            self.assertIn("is also an input (standard input)", done.stderr)
        self.assertEqual((self.here / "in.arrows").read_bytes(), whole)
        key = (self.here / "dev.key").read_bytes()
        (self.here / "echo.so.alloysig").symlink_to("dev.key")
        for output, what in (("dev.key", "the key"), ("dev.crt", "the certificate"),
                             ("echo.so", "the library"), ("echo.so.alloysig", "the key")):
            done = self.sign(output)
            self.assertEqual(done.code, 2, done.err)
            self.assertIn(f"is also {what}", done.err)
        self.assertEqual((self.here / "dev.key").read_bytes(), key)
        shutil.copy(self.archive, self.here / "echo.a")
        done = self.arrowalloy("link", "echo.a", "-o", "echo.a")
        self.assertEqual(done.code, 2, done.err)
        self.assertIn("is also the archive", done.err)

    def test_every_format_and_command_reports_a_full_disk_behind_standard_output(self):
        self.write_large()
        run = ["run", ECHO, "echo", "--allow-unsigned", "-o", "-", "--out-format"]
        commands = [[*run, form, "-i", source] for source in ("in.arrows", "large.arrows")
                    for form in ("csv", "arrow", "arrows", "parquet", "table")]
        commands += [["inspect", ECHO], ["inspect", ECHO, "--json"], ["--help"], ["--version"],
                     ["run", "--help"], ["manual"], ["completion", "zsh"], ["doctor"],
                     ["cert-base64", "dev.crt"]]
        for command in commands:
            for where in ("/dev/full", None):
                with self.subTest(command=command, where=where):
                    with open(where or os.devnull, "wb") as full:
                        done = subprocess.run(
                            [PROGRAM, *command], cwd=self.here, stdout=full,
                            stderr=subprocess.PIPE, text=True, timeout=LIMIT,
                            preexec_fn=None if where else lambda: os.close(1))
                    self.assertEqual(done.returncode, 3, done.stderr)
                    self.assertIn("No space left on device" if where else
                                  "Bad file descriptor", done.stderr)

    def test_a_limit_of_file_sizes_is_an_error_and_leaves_nothing(self):
        self.write_large()
        done = subprocess.run(["bash", "-c", f"ulimit -f 200; '{PROGRAM}' run '{ECHO}' echo "
                               "--allow-unsigned -i large.arrows -o out.csv"], cwd=self.here,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("error[E0102]: cannot write out.csv: File too large", done.stderr)
        self.assertEqual(self.names(), sorted([*self.before, "large.arrows"]))

    def test_closed_standard_streams_are_not_mixed_up_with_files(self):
        for closed in ((0,), (1,), (2,), (0, 1), (0, 1, 2)):
            with self.subTest(closed=closed):
                def close(closed=closed):
                    for fd in closed:
                        os.close(fd)
                subprocess.run(
                    [PROGRAM, "run", ECHO, "echo", "--allow-unsigned", "-i", "in.arrows", "-o",
                     "out.arrows"], cwd=self.here, preexec_fn=close, check=True,
                    stderr=subprocess.DEVNULL)
                with pa.OSFile(str(self.here / "out.arrows")) as source:
                    self.assertEqual(pa.ipc.open_stream(source).read_all(), self.table)
                (self.here / "out.arrows").unlink()

    def test_an_error_leaves_the_old_file_and_nothing_else(self):
        broken = (self.here / "in.arrows").read_bytes()[:-300]
        (self.here / "broken.arrows").write_bytes(broken)
        (self.here / "out.csv").write_text("old")
        before = self.names()
        for env in ({}, self.without_tmpfile):
            done = self.arrowalloy("run", ECHO, "echo", "--allow-unsigned", "-i",
                                   "broken.arrows", "-o", "out.csv", env=env)
            self.assertEqual(done.code, 3, done.err)
            self.assertEqual((self.here / "out.csv").read_text(), "old")
            self.assertEqual(self.names(), before)

    def test_all_of_this_holds_on_a_file_system_without_unnamed_files(self):
        env = self.without_tmpfile
        for write, start in self.each():
            (self.here / "out").write_text("old")
            (self.here / "out").chmod(0o640)
            done = write("out", env=env)
            self.assertEqual(done.code, 0, done.err)
            self.assertTrue((self.here / "out").read_bytes().startswith(start))
            self.assertEqual(stat.S_IMODE((self.here / "out").stat().st_mode), 0o640)
            (self.here / "out").unlink()
            self.assertEqual(self.names(), self.before)
        self.succeed("keygen", "--out", "more", env=env)
        self.assertEqual(stat.S_IMODE((self.here / "more.key").stat().st_mode), 0o600)
        self.refuse(2, "E0103", "keygen", "--out", "more", env=env)

    @unittest.skipUnless(AS_ROOT, "only root can act as two users")
    def test_files_and_links_of_others_in_a_shared_folder_are_refused(self):
        shared = self.here / "shared"
        shared.mkdir()
        shared.chmod(0o1777)
        (self.here / "victim").write_text("precious")
        (shared / "link").symlink_to(self.here / "victim")
        os.chown(shared / "link", 65534, 65534, follow_symlinks=False)
        (shared / "file").write_text("trap")
        os.chown(shared / "file", 65534, 65534)
        for write, _ in self.each():
            for name in ("link", "file"):
                done = write(shared / name)
                self.assertEqual(done.code, 3, done.err)
                self.assertIn("Permission denied", done.err)
        self.assertEqual((self.here / "victim").read_text(), "precious")

    def test_keys_never_replace_anything(self):
        for name in ("a.key", "a.crt"):
            for make in ("file", "link", "folder", "fifo"):
                path = self.here / name
                if make == "file":
                    path.write_text("old")
                elif make == "link":
                    path.symlink_to("nowhere")
                elif make == "folder":
                    path.mkdir()
                else:
                    os.mkfifo(path)
                with self.subTest(name=name, make=make):
                    self.refuse(2, "E0103", "keygen", "--out", "a")
                    self.assertEqual([n for n in self.names() if n.startswith("a.")], [name])
                path.rmdir() if make == "folder" else path.unlink()

    def test_new_refuses_what_is_there_and_leaves_no_half_folder(self):
        (self.here / "score").write_text("a file")
        done = self.arrowalloy("new", "--lang", "c", "score")
        self.assertNotEqual(done.code, 0)
        self.assertEqual((self.here / "score").read_text(), "a file")
        (self.here / "score").unlink()
        done = subprocess.run(["bash", "-c", f"ulimit -f 1; '{PROGRAM}' new --lang c score"],
                              cwd=self.here, capture_output=True, text=True)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("File too large", done.stderr)
        self.assertEqual(self.names(), self.before)


if __name__ == "__main__":
    unittest.main()
