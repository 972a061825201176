# SPDX-License-Identifier: MIT
"""Certificates by openssl and libraries to sign, for the tests."""

import hashlib
import os
import platform as machine
import shutil
import subprocess

from support import BUILD, openssl

KINDS = {"ed25519": ("-algorithm", "ed25519"),
         "p256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
         "p384": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
         "p521": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"),
         "rsa3072": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"),
         "rsa2048": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")}


def platform():
    return f"linux-{machine.machine()}-gnu"


class Authority:
    """A certificate authority by openssl: authority.key and authority.crt."""

    def __init__(self, folder, name="authority"):
        self.folder, self.name = folder, name
        self.key, self.certificate = folder / f"{name}.key", folder / f"{name}.crt"
        openssl("genpkey", *KINDS["p256"], "-out", self.key)
        openssl("req", "-x509", "-new", "-key", self.key, "-subj", f"/CN={name}", "-days", 30,
                "-out", self.certificate, "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-addext", "basicConstraints=critical,CA:TRUE")

    def issue(self, kind, usage="codeSigning", key_usage="critical,digitalSignature",
              constraints="critical,CA:FALSE", name=None, days=20):
        """Issues a certificate; returns the file names of its key and of itself."""
        name = name or kind
        key, request = self.folder / f"{name}.key", self.folder / f"{name}.csr"
        openssl("genpkey", *KINDS[kind], "-out", key)
        openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request)
        extensions = self.folder / f"{name}.cnf"
        rows = {"basicConstraints": constraints, "keyUsage": key_usage,
                "extendedKeyUsage": usage}
        extensions.write_text("".join(f"{k}={v}\n" for k, v in rows.items() if v)
                              + "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                "-CAcreateserial", "-days", days, "-extfile", extensions,
                "-out", self.folder / f"{name}.crt")
        return f"{name}.key", f"{name}.crt"


def library(test, name="libscore.so", source="score_cpp"):
    """A copy of a backend of the build, without its signature."""
    shutil.copy(BUILD / f"backends/{source}.so", test.here / name)
    return name


def sidecar(test, name, key, certificate, **changes):
    """Writes a signature file with any fields, also fields that arrowalloy refuses."""
    content = (test.here / name).read_bytes()
    readelf = subprocess.run(["readelf", "-d", test.here / name], text=True, check=True,
                             capture_output=True).stdout
    needed = sorted(line.split("[")[1].rstrip("]") for line in readelf.splitlines()
                    if "(NEEDED)" in line)
    rows = {"kind": "backend", "name": "acme.score", "version": "0.1.0", "sequence": "7",
            "abi": "1", "platform": platform(), "not-before": "2020-01-01T00:00:00Z",
            "not-after": "2099-01-01T00:00:00Z", "size": len(content),
            "sha256": f"{hashlib.sha256(content).hexdigest()}  {name}"}
    rows.update({k.replace("_", "-"): v for k, v in changes.items()})
    message = "alloy-statement-v1\n" + "".join(f"{k}: {v}\n" for k, v in rows.items())
    message += "".join(f"needed: {n}\n" for n in needed) + "end\n"
    (test.here / "message").write_text(message)
    text = openssl("pkey", "-in", test.here / key, "-noout", "-text")
    if text.startswith("ED25519"):
        signature = openssl("pkeyutl", "-sign", "-inkey", test.here / key, "-rawin", "-in",
                            test.here / "message", binary=True)
    else:
        signature = openssl("dgst", "-sha256", "-sign", test.here / key,
                            test.here / "message", binary=True)
    encoded = openssl("base64", stdin=signature)
    chain = openssl("x509", "-in", test.here / certificate)
    path = test.here / f"{name}.alloysig"
    path.write_text(f"{message}-----BEGIN ALLOY SIGNATURE-----\n{encoded}"
                    f"-----END ALLOY SIGNATURE-----\n{chain}")
    return path


def sign(test, key="dev.key", certificate="dev.crt", by_hand=False, **changes):
    """Signs a library of the test; makes the key at the first call."""
    name = "libscore.so"
    if not os.path.exists(test.here / name):
        library(test, name)
    if not os.path.exists(test.here / "dev.key"):
        test.succeed("keygen", "--out", "dev", "--quiet")
    if by_hand or changes:
        sidecar(test, name, key, certificate, **changes)
    else:
        test.succeed("sign", name, "--key", key, "--cert", certificate, "--name", "acme.score",
                     "--version", "0.1.0", "--quiet")
    return name
