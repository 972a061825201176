# SPDX-License-Identifier: MIT
"""verify and inspect decide as a load does, and run nothing without a good signature."""

import datetime
import os
import shutil
import subprocess

from arrow_cpp import MAY_NEED, NEEDS_ARROW
from signing import Authority, library, sidecar, sign
from test_hostile_texts import library as hostile_library
from support import BUILD, PROGRAM, ROOT, CommandTest, openssl

CONSTRUCTOR = """
#include <stdio.h>
__attribute__((constructor)) static void ran(void) { fclose(fopen("%s", "w")); }
"""


class VerdictTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.succeed("keygen", "--out", "dev", "--quiet")
        self.name = library(self)

    def verify(self, *more, certificate="@dev.crt"):
        return self.arrowalloy("verify", self.name, "--certificate", certificate, *more)

    def refused(self, code, reason, *more, **options):
        """verify refuses with this exit code, and inspect with the same reason."""
        done = self.verify(*more, **options)
        self.assertEqual(done.code, code, done.err)
        self.assertRegex(done.err, r"^error\[E[23]\d\d\d\]: ")
        self.assertEqual(done.out, "")
        if not more:
            certificate = options.get("certificate", "@dev.crt")
            found = self.arrowalloy("inspect", self.name, "--json", "--certificate", certificate)
            self.assertEqual(found.code, code, found.err)
            self.assertEqual(found.json()["verdict"]["reason_name"], reason)
            self.assertNotIn("functions", found.json())
        return done


class VerifyTest(VerdictTest):
    def test_a_good_signature_is_reported_with_name_signer_and_end(self):
        sign(self)
        answer = self.succeed("verify", self.name, "--certificate", "@dev.crt", "--json").json()
        self.assertEqual((answer["verified"], answer["name"], answer["version"]),
                         (True, "acme.score", "0.1.0"))
        self.assertEqual(answer["signer"], "CN=dev")
        self.assertRegex(self.verify().out, r"(?m)^signer +CN=dev$")

    def test_the_certificate_comes_as_base64_or_from_a_file(self):
        sign(self)
        line = self.succeed("cert-base64", "dev.crt").out.strip()
        (self.here / "dev.b64").write_text(line + "\n")
        openssl("x509", "-in", self.here / "dev.crt", "-outform", "DER", "-out",
                self.here / "dev.der")
        for certificate in (line, "@dev.crt", "@dev.b64", "@dev.der"):
            self.assertEqual(self.verify(certificate=certificate).code, 0, certificate)

    def test_nothing_of_the_library_runs(self):
        marker = self.here / "marker"
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-fvisibility=hidden", f"-I{ROOT}/include", "-xc", "-",
             ROOT / "backends/echo_c/echo.c",
             f"-Wl,--version-script={ROOT}/cmake/alloy_backend.map", "-o", self.name],
            input=CONSTRUCTOR % marker, text=True, check=True, cwd=self.here, timeout=60)
        self.succeed("sign", self.name, "--key", "dev.key", "--cert", "dev.crt", "--name",
                     "alloy.echo", "--version", "0.1.0", "-q")
        self.assertEqual(self.verify().code, 0)
        self.succeed("inspect", self.name)
        self.succeed("keygen", "--out", "other", "-q")
        self.arrowalloy("inspect", self.name, "--certificate", "@other.crt")
        self.assertFalse(marker.exists())
        # With a certificate that holds it is asked for its functions.
        self.succeed("inspect", self.name, "--certificate", "@dev.crt")
        self.assertTrue(marker.exists())

    def test_no_configuration_of_openssl_is_read(self):
        marker = self.here / "marker"
        subprocess.run(["gcc", "-shared", "-fPIC", "-xc", "-", "-o", "evil.so"], text=True,
                       input=CONSTRUCTOR % marker, check=True, cwd=self.here, timeout=60)
        config = self.here / "openssl.cnf"
        config.write_text("openssl_conf = init\n[init]\nproviders = all\n[all]\nevil = evil\n"
                          f"[evil]\nmodule = {self.here}/evil.so\nactivate = 1\n")
        env = {"OPENSSL_CONF": str(config)}
        sign(self)
        for command in (("verify", self.name, "--certificate", "@dev.crt"),
                        ("inspect", self.name, "--certificate", "@dev.crt"),
                        ("cert-base64", "dev.crt"), ("keygen", "--out", "other"),
                        ("sign", self.name, "--key", "dev.key", "--cert", "dev.crt")):
            done = self.arrowalloy(*command, env=env)
            self.assertEqual(done.code, 0, f"{command}: {done.err}")
            self.assertFalse(marker.exists(), command)
        # It is one that OpenSSL does follow.
        subprocess.run(["openssl", "list", "-providers"], env={**os.environ, **env},
                       capture_output=True, timeout=60)
        self.assertTrue(marker.exists())

    def test_a_small_file_that_describes_a_huge_library_is_refused_at_once(self):
        (self.here / "huge.so").write_bytes(hostile_library([b"A" * 250000], repeat=2000))
        with open(self.here / "sparse.so", "wb") as file:
            file.write((self.here / self.name).read_bytes())
            file.truncate(256 << 20)
        for name in ("huge.so", "sparse.so"):
            for command in (("verify", name, "--certificate", "@dev.crt"), ("inspect", name),
                            ("sign", name, "--key", "dev.key", "--cert", "dev.crt")):
                self.arrowalloy(*command, limit=10)

    def test_unsigned_is_10(self):
        done = self.refused(10, "NO_SIDECAR")
        self.assertIn("help: arrowalloy sign libscore.so", done.err)
        sign(self)
        self.assertEqual(self.verify(certificate="").code, 10)

    def test_other_bytes_than_were_signed_are_11(self):
        path = sidecar(self, self.name, "dev.key", "dev.crt")
        good, content = path.read_text(), (self.here / self.name).read_bytes()
        path.write_text(good.replace("acme.score", "acme.scorf"))
        self.refused(11, "SIGNATURE")
        path.write_text(good)
        (self.here / self.name).write_bytes(content + b"\0")
        self.refused(11, "SIZE")
        (self.here / self.name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        self.refused(11, "DIGEST")

    def test_another_signer_is_12(self):
        sign(self)
        self.succeed("keygen", "--out", "other", "--quiet")
        self.refused(12, "CERTIFICATE_UNTRUSTED", certificate="@other.crt")
        authority = Authority(self.here)
        key, certificate = authority.issue("p256", usage="serverAuth", name="server")
        sidecar(self, self.name, key, certificate)
        self.refused(12, "CERTIFICATE_USAGE", certificate="@authority.crt")
        key, certificate = authority.issue("p521")
        sidecar(self, self.name, key, certificate)
        self.refused(12, "WEAK_KEY", certificate="@authority.crt")

    def test_what_has_ended_or_not_begun_is_13(self):
        sidecar(self, self.name, "dev.key", "dev.crt", not_after="2021-01-01T00:00:00Z")
        self.refused(13, "STATEMENT_EXPIRED")
        sidecar(self, self.name, "dev.key", "dev.crt", not_before="2098-01-01T00:00:00Z")
        self.refused(13, "STATEMENT_NOT_YET_VALID")

    def test_a_malformed_sidecar_is_14(self):
        path = sidecar(self, self.name, "dev.key", "dev.crt")
        good = path.read_text()
        for bad in ("", good[:100], good + "more\n", good.replace("\n", "\r\n")):
            path.write_text(bad, newline="")
            self.refused(14, "SIDECAR_MALFORMED")

    def test_a_signature_for_something_else_is_15(self):
        for field, reason in (({"platform": "linux-riscv64-gnu"}, "PLATFORM"),
                              ({"abi": "2"}, "STATEMENT_ABI"), ({"kind": "song"}, "KIND")):
            sidecar(self, self.name, "dev.key", "dev.crt", **field)
            self.refused(15, reason)
        sidecar(self, self.name, "dev.key", "dev.crt", sequence="7")
        self.assertEqual(self.verify("--name", "acme.score", "--min-sequence", "7").code, 0)
        self.refused(15, "NAME", "--name", "acme.other")
        self.refused(15, "ROLLBACK", "--min-sequence", "8")

    def test_a_form_that_no_host_loads_is_16(self):
        subprocess.run(["gcc", "-shared", "-xc", "-", "-o", self.name], text=True, check=True,
                       input="int f(void) { return 1; }", cwd=self.here, timeout=60)
        sidecar(self, self.name, "dev.key", "dev.crt")
        self.refused(16, "EXPORTS")

    def test_a_file_that_cannot_be_read_is_17_and_a_bad_certificate_18(self):
        sign(self)
        for certificate in ("AAAA", "no base64", "LS0tLS0="):
            self.assertEqual(self.verify(certificate=certificate).code, 18)
        self.refuse(2, "E0202", "verify", self.name, "--certificate", "@dev.key")
        self.refuse(3, "E0101", "verify", self.name, "--certificate", "@missing")
        self.assertEqual(
            self.arrowalloy("verify", "missing.so", "--certificate", "@dev.crt").code, 17)
        self.refuse(2, "E0002", "verify", self.name)

    def test_an_authority_covers_the_signers_of_its_chain(self):
        authority = Authority(self.here)
        for kind in ("ed25519", "p256", "p384", "rsa3072"):
            sign(self, *authority.issue(kind))
            self.assertEqual(self.verify(certificate="@authority.crt").code, 0, kind)

    def test_the_last_thirty_days_are_a_warning(self):
        self.succeed("keygen", "--out", "short", "--days", 29, "--quiet")
        sign(self, "short.key", "short.crt")
        done = self.verify(certificate="@short.crt")
        self.assertEqual(done.code, 0)
        self.assertRegex(done.err, r"^warning: ")
        for more in ((), ("--certificate", "@short.crt")):
            done = self.succeed("inspect", self.name, *more)
            end = (datetime.date.today() + datetime.timedelta(days=29)).year
            self.assertIn(str(end), done.err)
            self.assertRegex(done.err, r"^warning: the signer's certificate ends at ")


class InspectTest(VerdictTest):
    def test_without_a_certificate_it_shows_what_the_signature_file_claims(self):
        sign(self)
        found = self.succeed("inspect", self.name, "--json").json()
        self.assertEqual(found["statement"]["name"], "acme.score")
        self.assertFalse(found["trusted"])
        self.assertEqual(found["elf"]["exports"], ["alloy_backend_init"])
        text = self.succeed("inspect", self.name).out
        self.assertRegex(text, r"(?m)^signed by +CN=dev \(ed25519, until ")
        self.assertIn("the signature was not checked", text)

    def test_with_a_certificate_it_lists_the_functions(self):
        sign(self)
        found = self.succeed("inspect", self.name, "--certificate", "@dev.crt", "--json").json()
        self.assertTrue(found["trusted"])
        self.assertEqual([f["name"] for f in found["functions"]], ["score"])
        self.assertEqual([c["name"] for c in found["functions"][0]["columns"]], ["x", "y"])
        text = self.succeed("inspect", self.name, "--certificate", "@dev.crt").out
        self.assertIn("\nfunction score\n", text)
        self.assertIn("  column  x, g\n", text)

    def test_an_unsigned_or_unfit_library_is_shown_without_an_error(self):
        self.assertRegex(self.succeed("inspect", self.name).out, r"(?m)^signature +none")
        (self.here / "bad.so").write_bytes(b"\x7fELF" + bytes(200))
        text = self.succeed("inspect", "bad.so").out
        self.assertRegex(text, r"(?m)^problems +\S")
        self.refuse(17, "E3001", "inspect", "missing.so")
        self.refuse(2, "E0002", "inspect")

    def test_every_backend_of_the_build_is_signed(self):
        certificate = f"@{BUILD}/dev.crt"
        backends = sorted((BUILD / "backends").glob("*.so"))
        self.assertGreater(len(backends), 4)
        for backend in backends:
            may_need = MAY_NEED if backend == NEEDS_ARROW else []
            self.succeed("verify", backend, "--certificate", certificate, *may_need)

    def test_a_name_cannot_control_the_terminal(self):
        odd = "odd\x1b[31m.so"
        shutil.copy(self.here / self.name, self.here / odd)
        self.assertNotIn("\x1b", self.succeed("inspect", odd).out)
        self.assertNotIn("\x1b", self.arrowalloy("verify", odd, "--certificate", "@dev.crt").err)


class GdbTest(CommandTest):
    def test_gdb_finds_the_symbols_of_a_sealed_library(self):
        done = subprocess.run(
            ["gdb", "-nx", "-batch", "-ex", "set breakpoint pending on",
             "-ex", "break alloy_bridge_free", "-ex", "run",
             "-ex", "python open('symbols', 'w').write(__import__('subprocess').check_output("
                    f"['{PROGRAM}', 'inspect', '--gdb', str(gdb.selected_inferior().pid)], "
                    "text=True))",
             "-ex", "source symbols", "-ex", "info functions echo_run",
             "--args", BUILD / "bin/hello_c", BUILD / "backends/echo_c.so"],
            cwd=self.here, text=True, errors="replace", capture_output=True, timeout=120,
            stdin=subprocess.DEVNULL)
        self.assertIn("echo_run", done.stdout, done.stderr)

    def test_a_process_without_sealed_libraries_and_a_missing_process_are_reported(self):
        done = self.succeed("inspect", "--gdb", os.getpid())
        self.assertEqual(done.out, "")
        self.assertIn("no sealed library", done.err)
        self.refuse(3, "E0101", "inspect", "--gdb", 2 ** 22 + 1)
