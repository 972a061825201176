# SPDX-License-Identifier: MIT
"""The script in docs/signing.md verifies a signature without Alloy, and decides as Alloy
does."""

import concurrent.futures
import os
import re
import shutil
import subprocess

import bundles
from signing import Authority, platform, sign
from support import BUILD, ROOT, CommandTest


def verification():
    """The only sh block of the document."""
    text = (ROOT / "docs/signing.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
    if len(blocks) != 1:
        raise AssertionError("docs/signing.md must have one block of sh")
    return blocks[0]


def decide(folder, library, anchor):
    """Runs the script in a folder of its own."""
    return subprocess.run(
        ["sh", "-e", "-c", verification()], cwd=folder, text=True, errors="replace",
        capture_output=True, timeout=60,
        env={"PATH": "/usr/bin:/bin", "library": library, "anchor": anchor})


class VerdictsTest(CommandTest):
    """The script and arrowalloy about the same signature files."""

    def compare(self, make_bundles, accepted):
        shutil.copy(BUILD / "backends/echo_c.so", self.here / "echo.so")
        make = bundles.Maker(self.here, self.here / "echo.so")

        def verdicts(number, what, text, anchor):
            folder = self.here / f"bundle{number}"
            folder.mkdir()
            shutil.copy(self.here / "echo.so", folder)
            (folder / "echo.so.alloysig").write_text(text, encoding="latin-1", newline="")
            (folder / "anchor.pem").write_text(bundles.block("CERTIFICATE", anchor))
            script = decide(folder, "echo.so", "anchor.pem")
            alloy = self.arrowalloy("verify", folder / "echo.so", "--certificate",
                                    f"@{folder}/anchor.pem")
            return what, script.returncode == 0, alloy.code == 0, script.stderr + alloy.err

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            running = [pool.submit(verdicts, number, *bundle)
                       for number, bundle in enumerate(make_bundles(make))]
            done = [one.result() for one in running]
        self.assertGreaterEqual(len(done), 50)
        for what, script, alloy, errors in done:
            with self.subTest(what):
                self.assertEqual((script, alloy), (accepted, accepted), errors)

    def test_both_accept_every_good_one(self):
        self.compare(bundles.good, True)

    def test_both_refuse_every_broken_one(self):
        self.compare(bundles.broken, False)


class SigningDocumentTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.library = sign(self)

    def verify(self, anchor="dev.crt"):
        return decide(self.here, self.library, anchor)

    def test_it_does_without_alloy(self):
        self.assertNotIn("arrowalloy", verification())

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
