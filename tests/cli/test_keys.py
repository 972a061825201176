# SPDX-License-Identifier: MIT
"""openssl can read the keys and certificates that keygen and cert-base64 write."""

import base64
import os
import stat

from support import CommandTest, openssl


class KeygenTest(CommandTest):
    def text_of(self, certificate):
        return openssl("x509", "-in", self.here / certificate, "-noout", "-text")

    def test_key_is_pkcs8_and_readable_only_by_its_owner(self):
        self.addCleanup(os.umask, os.umask(0))
        self.succeed("keygen", "--out", "dev")
        key = self.here / "dev.key"
        self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)
        self.assertTrue(key.read_text().startswith("-----BEGIN PRIVATE KEY-----\n"))
        self.assertIn("ED25519", openssl("pkey", "-in", key, "-noout", "-text"))

    def test_certificate_is_for_signing_code_and_of_no_authority(self):
        for kind in ("ed25519", "p256"):
            self.succeed("keygen", "--out", kind, "--type", kind, "--subject", "Acme build")
            text = self.text_of(f"{kind}.crt")
            for part in ("CA:FALSE", "Digital Signature", "Code Signing", "CN = Acme build"):
                self.assertIn(part, text)
            # The rules that the engine verifies by.
            path = self.here / f"{kind}.crt"
            openssl("verify", "-x509_strict", "-partial_chain", "-no-CApath", "-no-CAstore",
                    "-CAfile", path, path)

    def test_key_and_certificate_belong_together(self):
        self.succeed("keygen", "--out", "dev", "--type", "p256")
        self.assertEqual(
            openssl("pkey", "-in", self.here / "dev.key", "-pubout"),
            openssl("x509", "-in", self.here / "dev.crt", "-noout", "-pubkey"))

    def test_days_say_when_it_ends(self):
        answer = self.succeed("keygen", "--out", "dev", "--days", "40", "--json").json()
        seconds = 40 * 86400
        openssl("x509", "-in", self.here / "dev.crt", "-noout", "-checkend", seconds - 3600)
        with self.assertRaises(AssertionError):
            openssl("x509", "-in", self.here / "dev.crt", "-noout", "-checkend", seconds + 3600)
        self.assertRegex(answer["not_after"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        for days in ("0", "-1", "3651", "many"):
            self.refuse(2, "E0002", "keygen", "--out", "other", "--days", days)
        self.assertFalse((self.here / "other.key").exists())

    def test_nothing_is_overwritten_and_no_half_pair_is_left(self):
        self.succeed("keygen", "--out", "dev")
        before = (self.here / "dev.key").read_bytes()
        self.assertIn("dev.key exists", self.refuse(2, "E0103", "keygen", "--out", "dev").err)
        self.assertEqual((self.here / "dev.key").read_bytes(), before)
        (self.here / "other.crt").write_text("mine")
        self.refuse(2, "E0103", "keygen", "--out", "other")
        self.assertFalse((self.here / "other.key").exists())
        self.assertEqual((self.here / "other.crt").read_text(), "mine")

    def test_a_link_in_the_place_of_the_key_is_not_followed(self):
        (self.here / "dev.key").symlink_to(self.here / "elsewhere")
        self.refuse(2, "E0103", "keygen", "--out", "dev")
        self.assertFalse((self.here / "elsewhere").exists())

    def test_request_asks_for_what_a_signer_needs(self):
        self.succeed("keygen", "--out", "release", "--type", "p256", "--csr",
                     "--subject", "Acme build")
        self.assertFalse((self.here / "release.crt").exists())
        text = openssl("req", "-in", self.here / "release.csr", "-noout", "-text", "-verify")
        for part in ("CN = Acme build", "CA:FALSE", "Digital Signature", "Code Signing"):
            self.assertIn(part, text)

    def test_a_folder_that_is_not_there_is_named(self):
        self.assertIn("nowhere/dev.key",
                      self.refuse(3, "E0102", "keygen", "--out", "nowhere/dev").err)

    def test_a_subject_that_no_certificate_can_carry_is_refused(self):
        self.refuse(2, "E0202", "keygen", "--out", "dev", "--subject", "a" * 65)
        self.refuse(2, "E0002", "keygen", "--out", "dev", "--type", "rsa")
        self.refuse(2, "E0002", "keygen")


class CertBase64Test(CommandTest):
    def test_pem_der_and_base64_give_the_same_one_line(self):
        self.succeed("keygen", "--out", "dev")
        der = openssl("x509", "-in", self.here / "dev.crt", "-outform", "DER", binary=True)
        (self.here / "dev.der").write_bytes(der)
        (self.here / "dev.b64").write_text(base64.encodebytes(der).decode())
        expected = base64.b64encode(der).decode() + "\n"
        for file in ("dev.crt", "dev.der", "dev.b64"):
            self.assertEqual(self.succeed("cert-base64", file).out, expected)
        pem = (self.here / "dev.crt").read_text()
        self.assertEqual(self.succeed("cert-base64", "-", stdin=pem).out, expected)
        self.assertEqual(self.succeed("cert-base64", "--json", "dev.crt").json()["base64"],
                         expected.strip())

    def test_files_that_are_not_certificates_are_refused(self):
        self.succeed("keygen", "--out", "dev")
        self.succeed("keygen", "--out", "ask", "--csr")
        (self.here / "empty").write_text("")
        (self.here / "random").write_bytes(bytes(range(256)))
        der = openssl("x509", "-in", self.here / "dev.crt", "-outform", "DER", binary=True)
        (self.here / "twice").write_bytes(der + der)
        (self.here / "cut").write_bytes(der[:-1])
        for file in ("dev.key", "ask.csr", "empty", "random", "twice", "cut"):
            done = self.refuse(2, "E0202", "cert-base64", file)
            self.assertEqual(done.out, "", file)
            self.assertIn(file, done.err)

    def test_files_that_cannot_be_read_are_named_and_never_block(self):
        os.mkfifo(self.here / "fifo")
        (self.here / "folder").mkdir()
        (self.here / "large").write_bytes(b"A" * (300 << 10))
        self.refuse(3, "E0101", "cert-base64", "missing")
        self.refuse(3, "E0101", "cert-base64", "folder")
        self.refuse(3, "E0101", "cert-base64", "large")
        self.refuse(2, "E0202", "cert-base64", "fifo", limit=10)
