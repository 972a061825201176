# SPDX-License-Identifier: MIT
"""The script in docs/signing.md verifies a signature with sed, base64 and openssl."""

import re
import subprocess

from signing import Authority, platform, sign
from support import ROOT, CommandTest


def verification():
    """The only sh block of the document."""
    text = (ROOT / "docs/signing.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
    if len(blocks) != 1:
        raise AssertionError("docs/signing.md must have one block of sh")
    return blocks[0]


class SigningDocumentTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.library = sign(self)

    def verify(self, anchor="dev.crt"):
        return subprocess.run(
            ["sh", "-e", "-c", verification()], cwd=self.here, text=True, errors="replace",
            capture_output=True, timeout=60,
            env={"PATH": "/usr/bin:/bin", "library": self.library, "anchor": anchor})

    def test_it_uses_only_sed_base64_and_openssl(self):
        commands = set(re.findall(r"(?:^|[|(]\s*|\$\(|\) )([a-z0-9]+) (?=[-'/\"a-z])",
                                  re.sub(r"#.*", "", verification()), re.M))
        self.assertLessEqual(commands, {"sed", "base64", "openssl", "test", "case"}, commands)

    def test_a_good_signature_holds_and_prints_the_statement(self):
        done = self.verify()
        self.assertEqual(done.returncode, 0, done.stderr)
        for part in ("acme.score", "0.1.0", platform()):
            self.assertIn(part, done.stdout.splitlines())

    def test_every_kind_of_key_and_a_chain_hold(self):
        authority = Authority(self.here)
        for kind in ("ed25519", "p256", "p384", "rsa3072"):
            key, certificate = authority.issue(kind)
            sign(self, key=key, certificate=certificate)
            self.assertEqual(self.verify("authority.crt").returncode, 0, kind)
            self.assertNotEqual(self.verify("dev.crt").returncode, 0, kind)

    def test_a_flipped_bit_anywhere_is_found(self):
        sidecar = self.here / f"{self.library}.alloysig"
        good = sidecar.read_text()
        for old, new in (("acme.score", "acme.scorf"), ("needed: libc", "needed: libd")):
            sidecar.write_text(good.replace(old, new, 1))
            self.assertNotEqual(self.verify().returncode, 0, old)
        begin = good.index("SIGNATURE-----\n") + 20
        flipped = "A" if good[begin] != "A" else "B"
        sidecar.write_text(good[:begin] + flipped + good[begin + 1:])
        self.assertNotEqual(self.verify().returncode, 0)
        sidecar.write_text(good)
        library = self.here / self.library
        library.write_bytes(library.read_bytes() + b"\0")
        self.assertNotEqual(self.verify().returncode, 0)

    def test_a_certificate_that_is_not_for_signing_code_is_found(self):
        authority = Authority(self.here)
        key, certificate = authority.issue("p256", usage="serverAuth", name="server")
        sign(self, key=key, certificate=certificate, by_hand=True)
        self.assertNotEqual(self.verify("authority.crt").returncode, 0)
