# SPDX-License-Identifier: MIT
"""What sign writes, what it refuses, and that it runs a library only where it must."""

import hashlib
import os
import stat
import subprocess

from signing import KINDS, Authority, library, platform, sign
from support import ROOT, CommandTest, openssl

TABLE = """
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "alloy/backend.h"
static const alloy_function* const functions[] = {NULL};
static const alloy_backend backend = {.struct_size = sizeof(alloy_backend), .abi = ALLOY_ABI,
  .name = "acme.small", .version = "1.2.3", .language = "C", .functions = functions};
const alloy_backend* alloy_backend_init(const alloy_services* services, alloy_scope* scope) {
  (void)services; (void)scope;
  BODY
  return &backend;
}
"""


class SignTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.succeed("keygen", "--out", "dev", "--quiet")

    def sign(self, name, *more, **options):
        return self.arrowalloy("sign", name, "--key", "dev.key", "--cert", "dev.crt", *more,
                               **options)

    def refused(self, code, number, name, *more, **options):
        done = self.refuse(code, number, "sign", name, "--key", "dev.key", "--cert", "dev.crt",
                           *more, **options)
        self.assertFalse((self.here / f"{name}.alloysig").exists())
        return done

    def compiled(self, body, name="small.so"):
        """A small backend whose init does this."""
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-fvisibility=hidden", f"-I{ROOT}/include", "-xc", "-",
             f"-Wl,--version-script={ROOT}/cmake/alloy_backend.map", "-o", name],
            input=TABLE.replace("BODY", body), text=True, check=True, cwd=self.here,
            capture_output=True, timeout=60)
        return name

    def statement(self, name):
        text = (self.here / f"{name}.alloysig").read_text()
        return text.split("-----BEGIN ALLOY SIGNATURE-----\n")[0]

    def test_the_file_is_opened_once_whatever_is_read_from_it(self):
        log = self.here / "log"
        source = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
static void Note(const char* path) {
  char line[4200];
  int length = snprintf(line, sizeof(line), "%%s\\n", path);
  int (*plain)(const char*, int, ...) = dlsym(RTLD_NEXT, "open");
  int fd = plain("%s", O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (write(fd, line, length) != length) _exit(9);
  close(fd);
}
#define WRAP(name) int name(const char* path, int flags, ...) { \\
  va_list list; va_start(list, flags); int mode = va_arg(list, int); va_end(list); \\
  Note(path); \\
  return ((int (*)(const char*, int, ...))dlsym(RTLD_NEXT, #name))(path, flags, mode); }
WRAP(open) WRAP(open64)
""" % log
        subprocess.run(["gcc", "-shared", "-fPIC", "-xc", "-", "-o", "notes.so"], text=True,
                       input=source, check=True, cwd=self.here, timeout=60)
        preload = {"LD_PRELOAD": str(self.here / "notes.so")}
        name = self.compiled("")
        subprocess.run(["gcc", "-c", "-fPIC", "-fvisibility=hidden", f"-I{ROOT}/include", "-xc",
                        "-", "-o", "small.o"], input=TABLE.replace("BODY", ""), text=True,
                       check=True, cwd=self.here, timeout=60)
        subprocess.run(["ar", "rcs", "small.a", "small.o"], check=True, cwd=self.here)
        for library_name, more in ((name, ()), ("small.a", ()),
                                   (name, ("--name", "acme.small", "--version", "1.2.3"))):
            log.unlink(missing_ok=True)
            done = self.sign(library_name, *more, env=preload)
            self.assertEqual(done.code, 0, done.err)
            opened = [line for line in log.read_text().splitlines() if line == library_name]
            self.assertEqual(opened, [library_name])
            self.succeed("verify", library_name, "--certificate", "@dev.crt")

    def test_errors_are_about_the_library_and_not_about_a_copy_of_it(self):
        (self.here / "bad.so").write_bytes(b"\x7fELF" + bytes(200))
        for name in ("bad.so", "missing.so", "."):
            done = self.sign(name)
            self.assertNotEqual(done.code, 0)
            self.assertIn(name, done.err)
            self.assertNotIn("arrowalloy.", done.err)

    def test_no_signature_that_hosts_refuse_is_written(self):
        for kind in ("explicit", "compressed"):
            openssl("genpkey", *KINDS["p256"], *(
                ("-pkeyopt", "ec_param_enc:explicit") if kind == "explicit" else ()),
                "-out", self.here / "odd.key")
            if kind == "compressed":
                openssl("ec", "-in", self.here / "odd.key", "-conv_form", "compressed", "-out",
                        self.here / "odd.key")
            openssl("req", "-x509", "-new", "-key", self.here / "odd.key", "-subj", "/CN=odd",
                    "-days", 30, "-out", self.here / "odd.crt", "-config", self.config())
            name = self.compiled("")
            done = self.arrowalloy("sign", name, "--key", "odd.key", "--cert", "odd.crt")
            self.assertNotEqual(done.code, 0, kind)
            self.assertFalse((self.here / f"{name}.alloysig").exists())

    def config(self):
        """Of a certificate for signing code."""
        path = self.here / "odd.cnf"
        path.write_text("[req]\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\n[ext]\n"
                        "basicConstraints=critical,CA:FALSE\nkeyUsage=digitalSignature\n"
                        "extendedKeyUsage=codeSigning\n")
        return path

    def test_the_statement_is_the_format_to_the_byte(self):
        name = library(self)
        done = self.sign(name, "--name", "acme.score", "--version", "0.1.0", "--sequence", 142,
                         "--not-before", "2026-01-01", "--not-after", "2099-02-03T04:05:06Z")
        self.assertEqual(done.code, 0, done.err)
        content = (self.here / name).read_bytes()
        digest = subprocess.run(["sha256sum", name], cwd=self.here, text=True, check=True,
                                capture_output=True).stdout
        self.assertEqual(self.statement(name), (
            "alloy-statement-v1\nkind: backend\nname: acme.score\nversion: 0.1.0\n"
            f"sequence: 142\nabi: 1\nplatform: {platform()}\n"
            "not-before: 2026-01-01T00:00:00Z\nnot-after: 2099-02-03T04:05:06Z\n"
            f"size: {len(content)}\nsha256: {digest.strip()}\n"
            "needed: libc.so.6\nneeded: libgcc_s.so.1\nneeded: libstdc++.so.6\nend\n"))
        sidecar = (self.here / f"{name}.alloysig").read_text()
        self.assertTrue(sidecar.endswith("-----END CERTIFICATE-----\n"))
        self.assertLessEqual(max(map(len, sidecar.splitlines())), 64 + len("sha256:  ") + 20)

    def test_name_and_version_come_from_the_librarys_own_table(self):
        name = library(self)
        done = self.sign(name, "--json")
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual((done.json()["name"], done.json()["version"]), ("acme.score", "0.1.0"))
        self.assertIn("name: acme.score\nversion: 0.1.0\n", self.statement(name))

    def test_nothing_of_the_library_runs_when_both_are_given(self):
        name = self.compiled(f'fclose(fopen("{self.here}/marker", "w"));')
        self.assertEqual(
            self.sign(name, "--name", "acme.small", "--version", "1.2.3").code, 0)
        self.assertFalse((self.here / "marker").exists())
        self.assertEqual(self.sign(name).code, 0)
        self.assertTrue((self.here / "marker").exists())

    def test_the_bytes_that_were_inspected_are_the_bytes_that_are_signed(self):
        # The library changes its own file while its name is read from its table.
        name = self.compiled(f'FILE* f = fopen("{self.here}/small.so", "a");'
                             'fputc(0, f); fclose(f);')
        inspected = (self.here / name).read_bytes()
        self.assertEqual(self.sign(name).code, 0)
        self.assertNotEqual((self.here / name).read_bytes(), inspected)
        self.assertIn(f"size: {len(inspected)}\nsha256: {hashlib.sha256(inspected).hexdigest()}",
                      self.statement(name))
        self.assertEqual(self.arrowalloy("verify", name, "--certificate", "@dev.crt").code, 11)

    def test_output_of_a_library_is_not_read_as_its_table(self):
        name = self.compiled('puts("{\\"name\\": \\"evil\\"}");')
        self.assertEqual(self.sign(name, "--json").json()["name"], "acme.small")

    def test_a_library_that_crashes_exits_or_hangs_is_not_signed(self):
        for body, said in (("abort();", "died by signal 6"), ("_exit(7);", "exited with code 7"),
                           ('fputs("no licence", stderr); abort();', "no licence")):
            done = self.refused(16, "E0205", self.compiled(body))
            self.assertIn(said, done.err)
            self.assertIn("--name", done.err)
        done = self.refused(16, "E0205", self.compiled("for (;;) pause();"), "--limit", 1)
        self.assertIn("took more than 1 s", done.err)
        self.refused(2, "E0002", "small.so", "--limit", 0)

    def test_a_name_that_the_table_contradicts_is_refused(self):
        done = self.refused(2, "E0203", library(self), "--name", "acme.other")
        self.assertIn("acme.score", done.err)

    def test_a_library_that_no_host_would_load_is_refused(self):
        name = "open.so"
        subprocess.run(["gcc", "-shared", "-xc", "-", "-o", name], input="int f(void){return 1;}",
                       text=True, check=True, cwd=self.here, timeout=60)
        # Also when both are given, so that nothing of it runs.
        for more in ((), ("--name", "acme.open", "--version", "1")):
            self.assertIn("alloy_backend_init", self.refused(16, "E3009", name, *more).err)

    def test_files_that_are_not_libraries_are_refused(self):
        (self.here / "text").write_text("no library at all" * 10)
        (self.here / "folder").mkdir()
        both = ("--name", "a", "--version", "1")
        self.refused(16, "E3007", "text", *both)
        self.refused(17, "E3001", "missing", *both)
        self.refused(17, "E3002", "folder", *both)
        whole = (self.here / library(self)).read_bytes()
        for size, code, number in ((0, 17, "E3003"), (63, 17, "E3003"), (70, 16, "E3007"),
                                   (200, 16, "E3007"), (5000, 16, "E3007")):
            (self.here / "cut.so").write_bytes(whole[:size])
            self.refused(code, number, "cut.so", *both)

    def test_a_certificate_that_the_loader_would_refuse_is_refused(self):
        name = library(self)
        authority = Authority(self.here)
        cases = (
            ("p521", {}, "ec secp521r1"), ("rsa2048", {}, "rsa 2048"),
            ("p256", {"usage": "serverAuth", "name": "server"}, "not made for signing code"),
            ("p256", {"usage": None, "name": "any"}, "not made for signing code"),
            ("p256", {"key_usage": "keyAgreement", "name": "agree"}, "digitalSignature"),
            ("p256", {"constraints": "CA:TRUE", "name": "other"}, "authority"),
            ("p256", {"constraints": None, "name": "bare"}, "CA:FALSE"))
        for kind, options, said in cases:
            key, certificate = authority.issue(kind, **options)
            done = self.refuse(2, "E0202", "sign", name, "--key", key, "--cert", certificate,
                               "--name", "acme.score", "--version", "0.1.0")
            self.assertIn(said, done.err)
        self.assertFalse((self.here / f"{name}.alloysig").exists())

    def test_key_and_certificate_must_be_a_pair(self):
        name = library(self)
        self.succeed("keygen", "--out", "other", "--type", "p256", "--quiet")
        done = self.refuse(2, "E0201", "sign", name, "--key", "other.key", "--cert", "dev.crt")
        self.assertIn("ec prime256v1", done.err)
        self.refuse(2, "E0201", "sign", name, "--key", "dev.crt", "--cert", "dev.crt")
        self.refuse(2, "E0202", "sign", name, "--key", "dev.key", "--cert", "dev.key")

    def test_a_locked_key_is_not_asked_for_and_comes_by_standard_input(self):
        name = library(self)
        subprocess.run(["openssl", "pkey", "-in", "dev.key", "-aes256", "-passout", "pass:x",
                        "-out", "locked.key"], cwd=self.here, check=True, timeout=60)
        done = self.refuse(2, "E0201", "sign", name, "--key", "locked.key", "--cert", "dev.crt")
        self.assertIn("openssl pkey -in locked.key", done.err)
        self.succeed("sign", name, "--key", "-", "--cert", "dev.crt",
                     stdin=(self.here / "dev.key").read_text())

    def test_a_chain_is_carried_in_order_and_checked(self):
        name = library(self)
        authority = Authority(self.here)
        key, certificate = authority.issue("p256")
        fields = ("--name", "acme.score", "--version", "0.1.0")
        self.succeed("sign", name, "--key", key, "--cert", certificate, "--chain",
                     "authority.crt", *fields)
        sidecar = (self.here / f"{name}.alloysig").read_text()
        self.assertEqual(sidecar.count("BEGIN CERTIFICATE"), 2)
        stranger = Authority(self.here, "stranger")
        done = self.refuse(2, "E0202", "sign", name, "--key", key, "--cert", certificate,
                           "--chain", stranger.certificate, *fields)
        self.assertIn("CN=stranger", done.err)

    def test_the_warning_comes_thirty_days_before_the_end(self):
        self.succeed("keygen", "--out", "short", "--days", 29, "--quiet")
        self.succeed("keygen", "--out", "long", "--days", 31, "--quiet")
        name = library(self)
        done = self.succeed("sign", name, "--key", "short.key", "--cert", "short.crt", "-q")
        self.assertRegex(done.err, r"^warning: the certificate short.crt ends at \d{4}-")
        done = self.succeed("sign", name, "--key", "long.key", "--cert", "long.crt", "-q")
        self.assertEqual((done.out, done.err), ("", ""))

    def test_fields_that_no_statement_can_carry_are_refused(self):
        name = library(self)
        for option, value in (("--name", "two words"), ("--name", "ä"),
                              ("--version", "1" * 129), ("--sequence", "-1"),
                              ("--not-after", "soon"), ("--not-after", "2026-13-01"),
                              ("--not-after", "2001-01-01"), ("--not-before", "2099-01-01")):
            fields = {"--name": "acme.score", "--version": "0.1.0", option: value}
            flat = [f"{key}={text}" for key, text in fields.items()]
            self.refused(2, "E0203", name, *flat)
        blank = library(self, "two words.so")
        self.refused(2, "E0203", blank, "--name", "acme.score", "--version", "0.1.0")

    def test_the_sidecar_is_replaced_whole_and_can_lie_elsewhere(self):
        name = sign(self)
        sidecar = self.here / f"{name}.alloysig"
        before = sidecar.read_text()
        os.chmod(self.here / "dev.key", 0o600)
        self.assertEqual(self.sign(name, "--sequence", 9).code, 0)
        self.assertNotEqual(sidecar.read_text(), before)
        self.assertEqual(stat.S_IMODE(sidecar.stat().st_mode), 0o644)
        self.assertEqual([p.name for p in self.here.glob("*.alloysig*")], [sidecar.name])
        self.assertEqual(self.sign(name, "--out", "elsewhere.sig").code, 0)
        self.assertTrue((self.here / "elsewhere.sig").exists())
        self.refuse(3, "E0102", "sign", name, "--key", "dev.key", "--cert", "dev.crt", "--out",
                    "nowhere/x.sig")

    def test_a_signature_of_ed25519_is_the_same_each_time(self):
        name = library(self)
        fields = ("--sequence", 1, "--not-before", "2026-01-01", "--not-after", "2099-01-01")
        texts = set()
        for _ in range(2):
            self.assertEqual(self.sign(name, *fields).code, 0)
            texts.add((self.here / f"{name}.alloysig").read_text())
        self.assertEqual(len(texts), 1)


class LinkTest(CommandTest):
    def archive(self, name="libecho.a"):
        subprocess.run(["gcc", "-c", "-fPIC", "-O1", f"-I{ROOT}/include",
                        ROOT / "backends/echo_c/echo.c", "-o", "echo.o"], cwd=self.here,
                       check=True, timeout=60)
        subprocess.run(["ar", "rcs", name, "echo.o"], cwd=self.here, check=True, timeout=60)
        return name

    def test_an_archive_becomes_a_library_with_a_table(self):
        answer = self.succeed("link", self.archive(), "-o", "libecho.so", "--json").json()
        self.assertEqual(answer["needed"], ["libc.so.6"])
        self.succeed("keygen", "--out", "dev", "-q")
        signed = self.succeed("sign", "libecho.so", "--key", "dev.key", "--cert", "dev.crt",
                              "--json").json()
        self.assertEqual(signed["name"], "alloy.echo")

    def test_an_archive_can_be_signed(self):
        self.succeed("keygen", "--out", "dev", "-q")
        name = self.archive()
        self.succeed("sign", name, "--key", "dev.key", "--cert", "dev.crt")
        text = (self.here / f"{name}.alloysig").read_text()
        self.assertIn(f"  {name}\nneeded: libc.so.6\nend\n", text)
        self.assertIn(f"size: {(self.here / name).stat().st_size}\n", text)

    def test_files_that_are_not_archives_are_refused(self):
        (self.here / "text.a").write_text("INPUT(libc.so.6)\n" * 8)
        for name, code in (("text.a", 16), ("missing.a", 17)):
            done = self.arrowalloy("link", name, "-o", "out.so")
            self.assertIn(done.code, (code, 19), done.err)
            self.assertRegex(done.err, r"^error\[E[23]0\d\d\]: ")
            self.assertFalse((self.here / "out.so").exists())
        (self.here / "empty.a").write_bytes(b"!<arch>\n")
        done = self.arrowalloy("link", "empty.a", "-o", "out.so")
        self.assertIn(done.code, (17, 19), done.err)
        self.refuse(2, "E0002", "link", "empty.a")
