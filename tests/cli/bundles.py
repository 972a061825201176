# SPDX-License-Identifier: MIT
"""Libraries with good and with broken signature files, made by openssl: each broken one has
one fault. docs/signing.md and arrowalloy have to agree about all of them."""

import base64
import datetime
import hashlib
import itertools
import subprocess

from signing import KINDS, platform
from support import openssl

SIGNER = {"basicConstraints": "critical,CA:FALSE", "keyUsage": "critical,digitalSignature",
          "extendedKeyUsage": "codeSigning", "subjectKeyIdentifier": "hash",
          "authorityKeyIdentifier": "keyid"}
AUTHORITY = {"basicConstraints": "critical,CA:TRUE", "keyUsage": "critical,keyCertSign,cRLSign",
             "subjectKeyIdentifier": "hash", "authorityKeyIdentifier": "keyid"}


def der_of(path):
    return openssl("x509", "-in", path, "-outform", "DER", binary=True)


def block(label, der):
    text = base64.b64encode(der).decode()
    lines = "".join(text[i:i + 64] + "\n" for i in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}-----END {label}-----\n"


class Node:
    """One value of a certificate, to encode it in another way."""

    def __init__(self, data):
        length, at = data[1], 2
        if length >= 0x80:
            at += length & 0x7f
            length = int.from_bytes(data[2:at], "big")
        self.tag, self.content, self.size = data[0], data[at:at + length], at + length
        self.parts = []
        if self.tag & 0x20:
            rest = self.content
            while rest:
                self.parts.append(Node(rest))
                rest = rest[self.parts[-1].size:]

    def inside(self):
        return b"".join(p.encode() for p in self.parts) if self.tag & 0x20 else self.content

    def encode(self):
        return tagged(self.tag, self.inside())

    def walk(self):
        yield self
        for part in self.parts:
            yield from part.walk()


def length_of(size):
    if size < 0x80:
        return bytes([size])
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def tagged(tag, content):
    return bytes([tag]) + length_of(len(content)) + content


def changed(der, choose, encode):
    """The certificate with one value, the first that `choose` takes, encoded otherwise."""
    tree = Node(der)
    node = next(n for n in tree.walk() if choose(n))
    node.encode = lambda: encode(node)
    return tree.encode()


def extension(oid):
    return lambda node: node.tag == 0x30 and node.parts and node.parts[0].content == oid


class Maker:
    """Makes keys, certificates and signature files in one folder."""

    def __init__(self, folder, library):
        self.folder, self.library = folder, library
        self.content = library.read_bytes()
        readelf = subprocess.run(["readelf", "-dW", library], text=True, check=True,
                                 capture_output=True).stdout
        self.needed = sorted(line.split("[")[1].rstrip("]") for line in readelf.splitlines()
                             if "(NEEDED)" in line)
        self.numbers = itertools.count()
        self.keys = {}

    def key(self, kind):
        if kind not in self.keys:
            path = self.folder / f"{kind}.key"
            if kind == "explicit":
                openssl("genpkey", *KINDS["p256"], "-pkeyopt", "ec_param_enc:explicit", "-out",
                        path)
            elif kind == "rsa1024":
                openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024",
                        "-out", path)
            else:
                openssl("genpkey", *KINDS[kind], "-out", path)
            self.keys[kind] = path
        return self.keys[kind]

    def certificate(self, kind="ed25519", by=None, subject="/CN=signer", digest=None,
                    start="20200101000000Z", end="20990101000000Z", base=SIGNER, **extensions):
        """Returns (key, file); `by` is the (key, file) of the issuer."""
        name = self.folder / f"c{next(self.numbers)}"
        key, request, config = self.key(kind), f"{name}.csr", f"{name}.cnf"
        rows = {**base, **extensions}
        with open(config, "w", encoding="utf-8") as file:
            file.write("[req]\ndistinguished_name=dn\n[dn]\n[ext]\n")
            file.writelines(f"{k}={v}\n" for k, v in rows.items() if v)
        openssl("req", "-new", "-utf8", "-key", key, "-subj", subject, "-config", config,
                "-out", request)
        issuer = by or (key, None)
        # `openssl ca` is the only command of 3.0 that takes both times.
        (self.folder / "index.txt").write_text("")
        serial = f"{next(self.numbers) + 4096:04X}"
        (self.folder / "serial").write_text(serial)
        with open(config, "a", encoding="utf-8") as file:
            file.write(f"""[ca]
default_ca=own
[own]
database={self.folder}/index.txt
serial={self.folder}/serial
new_certs_dir={self.folder}
unique_subject=no
policy=any
email_in_dn=no
copy_extensions=none
x509_extensions=ext
[any]
commonName=optional
organizationName=optional
""")
        command = ["ca", "-batch", "-notext", "-preserveDN", "-utf8", "-config", config,
                   "-in", request, "-out", f"{name}.pem", "-startdate", start, "-enddate", end,
                   "-md", digest or ("default" if "ed25519" in str(issuer[0]) else "sha256"),
                   "-keyfile", issuer[0]]
        command += ["-selfsign"] if by is None else ["-cert", by[1]]
        openssl(*command)
        return key, name.with_suffix(".pem")

    def statement(self, **changes):
        rows = {"kind": "backend", "name": "acme.score", "version": "0.1.0", "sequence": "7",
                "abi": "1", "platform": platform(), "not-before": "2020-01-01T00:00:00Z",
                "not-after": "2099-01-01T00:00:00Z", "size": len(self.content),
                "sha256": f"{hashlib.sha256(self.content).hexdigest()}  {self.library.name}"}
        needed = changes.pop("needed", self.needed)
        rows.update({k.replace("_", "-"): v for k, v in changes.items()})
        text = "alloy-statement-v1\n" + "".join(f"{k}: {v}\n" for k, v in rows.items())
        return text + "".join(f"needed: {n}\n" for n in needed) + "end\n"

    def sign(self, key, message, *options):
        path = self.folder / "message"
        path.write_text(message, encoding="latin-1", newline="")
        kind = openssl("pkey", "-in", key, "-noout", "-text")
        if kind.startswith("ED25519"):
            return openssl("pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", path, binary=True)
        if "modulus:" in kind and not options:
            options = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32")
        digest = "-sha384" if "P-384" in kind else "-sha256"
        return openssl("dgst", digest, *options, "-sign", key, path, binary=True)

    def bundle(self, signer, message=None, anchor=None, chain=(), signature=None, der=None):
        """Returns (text of the signature file, DER of the anchor)."""
        message = self.statement() if message is None else message
        own = der if der is not None else der_of(signer[1])
        signature = self.sign(signer[0], message) if signature is None else signature
        text = message + block("ALLOY SIGNATURE", signature) + block("CERTIFICATE", own)
        text += "".join(block("CERTIFICATE", der_of(c[1])) for c in chain)
        return text, (der_of(anchor[1]) if anchor else own)


def good(make):
    """Yields (what, signature file, anchor)."""
    root = make.certificate("p256", base=AUTHORITY, subject="/CN=root")
    middle = make.certificate("ed25519", by=root, base=AUTHORITY, subject="/CN=middle")
    for kind in ("ed25519", "p256", "p384", "rsa3072"):
        signer = make.certificate(kind)
        yield f"{kind} pinned", *make.bundle(signer)
        yield f"{kind} pinned, with a root", *make.bundle(signer, chain=[root])
        signer = make.certificate(kind, by=root)
        yield f"{kind} by an authority", *make.bundle(signer, anchor=root)
        yield f"{kind} by an authority, pinned", *make.bundle(signer)
        yield f"{kind} with the authority", *make.bundle(signer, anchor=root, chain=[root])
        signer = make.certificate(kind, by=middle)
        yield f"{kind} by a chain", *make.bundle(signer, anchor=root, chain=[middle])
        yield f"{kind} to the middle", *make.bundle(signer, anchor=middle)
        yield f"{kind} with a root", *make.bundle(signer, anchor=root, chain=[middle, root])
    for kind in ("rsa2048", "rsa3072", "p384", "p521", "ed25519"):
        other = make.certificate(kind, base=AUTHORITY, subject=f"/CN={kind}")
        yield f"an authority of {kind}", *make.bundle(make.certificate(by=other), anchor=other)
    for usage in ("codeSigning", "codeSigning,serverAuth", "anyExtendedKeyUsage"):
        other = make.certificate("p384", base=AUTHORITY, extendedKeyUsage=usage)
        yield f"an authority for {usage}", *make.bundle(
            make.certificate(by=other), anchor=other)
    for what, extensions in (
            ("more usages", {"keyUsage": "digitalSignature,nonRepudiation"}),
            ("nine bits of usage", {"keyUsage": "digitalSignature,keyAgreement,decipherOnly"}),
            ("more extended usages", {"extendedKeyUsage": "critical,codeSigning,emailProtection"}),
            ("a comment", {"nsComment": "any text"}),
            ("a name", {"subjectAltName": "DNS:example.org,email:a@example.org"}),
            ("constraints that are not critical", {"basicConstraints": "CA:FALSE"})):
        yield f"a signer with {what}", *make.bundle(make.certificate(**extensions))
    for subject in ("/O=Acme, Inc./CN=Gøteborg 東京", "/CN=a+O=b", "/CN=X509v3 Key Usage:",
                    "/CN=" + "n" * 64):
        yield subject, *make.bundle(make.certificate(subject=subject))
    yield "a signer until 2060", *make.bundle(make.certificate(end="20600101000000Z"))
    signer = make.certificate()
    now = datetime.datetime.now(datetime.timezone.utc)
    soon = (now + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for changes in ({"name": "a" * 128}, {"name": "~!@#$%^&*()"}, {"version": "1.0-rc1+x"},
                    {"sequence": "0"}, {"sequence": "18446744073709551615"},
                    {"sequence": "9223372036854775808"}, {"not_after": soon},
                    {"not_after": "9999-12-31T23:59:59Z"}, {"not_before": "1970-01-01T00:00:00Z"},
                    {"sha256": f"{hashlib.sha256(make.content).hexdigest()}  other name.so"},
                    {"sha256": f"{hashlib.sha256(make.content).hexdigest()}  {'f' * 255}"}):
        yield str(changes), *make.bundle(signer, make.statement(**changes))


def broken(make):
    """Yields (what, signature file, anchor)."""
    root = make.certificate("p256", base=AUTHORITY, subject="/CN=root")
    signer = make.certificate()
    text, own = make.bundle(signer)
    message = make.statement()

    # The certificate of the signer, pinned and by an authority.
    for what, extensions in (
            ("without basicConstraints", {"basicConstraints": ""}),
            ("without keyUsage", {"keyUsage": ""}),
            ("without extendedKeyUsage", {"extendedKeyUsage": ""}),
            ("for TLS servers", {"extendedKeyUsage": "serverAuth"}),
            ("for any usage", {"extendedKeyUsage": "anyExtendedKeyUsage"}),
            ("for other signatures", {"keyUsage": "critical,nonRepudiation"}),
            ("that is an authority", {"basicConstraints": "critical,CA:TRUE",
                                      "keyUsage": "critical,digitalSignature,keyCertSign"}),
            ("with an unknown critical extension", {"1.2.3.4.5": "critical,DER:0500"})):
        yield f"a signer {what}", *make.bundle(make.certificate(**extensions))
        yield f"a signer {what}, issued", *make.bundle(
            make.certificate(by=root, **extensions), anchor=root)
    for kind in ("p521", "rsa2048", "rsa1024", "explicit"):
        yield f"a key of {kind}", *make.bundle(make.certificate(kind))
        yield f"a key of {kind}, issued", *make.bundle(
            make.certificate(kind, by=root), anchor=root)
    yield "expired", *make.bundle(make.certificate(end="20210101000000Z"))
    yield "expired, issued", *make.bundle(
        make.certificate(by=root, end="20210101000000Z"), anchor=root)
    yield "not valid yet", *make.bundle(make.certificate(start="20980101000000Z"))

    # The chain.
    yield "another anchor", text, der_of(root[1])
    weak = make.certificate("rsa1024", base=AUTHORITY)
    yield "an authority of RSA 1024", *make.bundle(make.certificate(by=weak), anchor=weak)
    rsa = make.certificate("rsa3072", base=AUTHORITY, subject="/CN=rsa")
    for digest in ("md5", "sha1"):
        yield f"a signer by {digest}", *make.bundle(
            make.certificate(by=rsa, digest=digest), anchor=rsa)
    for usage in ("serverAuth", "emailProtection,clientAuth"):
        other = make.certificate("p384", base=AUTHORITY, extendedKeyUsage=usage)
        yield f"an authority for {usage}", *make.bundle(
            make.certificate(by=other), anchor=other)
    ended = make.certificate("p384", base=AUTHORITY, end="20210101000000Z")
    yield "an authority that has ended", *make.bundle(make.certificate(by=ended), anchor=ended)
    leaf = make.certificate("p384", by=root, subject="/CN=leaf")
    yield "a leaf as an authority", *make.bundle(
        make.certificate(by=leaf), anchor=root, chain=[leaf])
    middle = make.certificate("p384", by=root, base=AUTHORITY, subject="/CN=middle")
    yield "a chain with a hole", *make.bundle(make.certificate(by=middle), anchor=root)
    yield "five certificates", *make.bundle(signer, chain=[root] * 4)
    big = make.certificate(nsComment="x" * 17000)
    yield "a certificate of more than 16 KiB", *make.bundle(big)

    # Certificates in another encoding; pinned, so that no signature covers it.
    def spelled(choose, encode, what):
        return what, *make.bundle(signer, der=changed(own, choose, encode))

    def long_form(node):
        inside = node.inside()
        size = len(inside).to_bytes((len(inside).bit_length() + 7) // 8 or 1, "big")
        return bytes([node.tag, 0x81 + len(size), 0]) + size + inside

    def indefinite(node):
        return bytes([node.tag, 0x80]) + node.inside() + b"\0\0"

    for tag in (0x30, 0x31, 0xa0, 0xa3, 0x02, 0x06, 0x0c, 0x17, 0x03, 0x04, 0x01):
        yield spelled(lambda n, tag=tag: n.tag == tag, long_form, f"a long length of {tag:#x}")
    for tag in (0x30, 0x31, 0xa3):
        yield spelled(lambda n, tag=tag: n.tag == tag, indefinite, f"no length of {tag:#x}")
    yield spelled(lambda n: n.tag == 1, lambda n: b"\1\1\1", "TRUE as 1")
    yield spelled(lambda n: n.tag == 2 and len(n.content) > 1,
                  lambda n: tagged(2, b"\0" + n.content), "a padded INTEGER")
    yield spelled(lambda n: n.tag == 4, lambda n: tagged(0x24, tagged(4, n.content)),
                  "an OCTET STRING in pieces")
    yield spelled(lambda n: n.tag == 0x0c, lambda n: tagged(0x2c, tagged(0x0c, n.content)),
                  "a UTF8String in pieces")
    usage, constraints, bits = b"\x55\x1d\x25", b"\x55\x1d\x13", b"\x55\x1d\x0f"
    yield spelled(extension(usage), lambda n: tagged(
        0x30, n.parts[0].encode() + b"\1\1\0" + n.parts[1].encode()), "critical FALSE")
    yield spelled(extension(usage), lambda n: tagged(0x30, n.inside()) * 2,
                  "an extension twice")
    for oid, value, what in ((constraints, b"\x30\x03\1\1\0", "CA FALSE"),
                             (bits, b"\x03\x02\0\x80", "zeros behind the usages"),
                             (bits, b"\x03\x02\7\x80\0", "bytes behind the usages"),
                             (usage, None, "a long length in the usages")):
        yield spelled(extension(oid), lambda n, value=value: tagged(
            0x30, b"".join(p.encode() for p in n.parts[:-1]) + tagged(
                4, value if value else long_form(Node(n.parts[-1].content)))), what)

    # The signature.
    yield "a flipped bit of the signature", *make.bundle(
        signer, signature=bytes([make.sign(signer[0], message)[0] ^ 1])
        + make.sign(signer[0], message)[1:])
    yield "no signature", *make.bundle(signer, signature=b"")
    other = make.certificate("p256")
    yield "a signature of another key", *make.bundle(
        signer, signature=make.sign(other[0], message))
    rsa_signer = make.certificate("rsa3072")
    yield "RSA by PKCS 1", *make.bundle(rsa_signer, signature=make.sign(
        rsa_signer[0], message, "-sigopt", "rsa_padding_mode:pkcs1"))
    yield "RSA with a short salt", *make.bundle(rsa_signer, signature=make.sign(
        rsa_signer[0], message, "-sigopt", "rsa_padding_mode:pss", "-sigopt",
        "rsa_pss_saltlen:20"))
    for old, new in (("acme.score", "acme.scorf"), ("sequence: 7", "sequence: 8")):
        yield f"{new} after signing", text.replace(old, new), own

    # The statement.
    for changes in (
            {"kind": "plugin"}, {"abi": "7"}, {"abi": "01"}, {"platform": "linux-riscv64-gnu"},
            {"size": "1"}, {"size": f"0{len(make.content)}"}, {"sha256": "0" * 64 + "  x.so"},
            {"sha256": hashlib.sha256(make.content).hexdigest().upper() + "  x.so"},
            {"sha256": hashlib.sha256(make.content).hexdigest() + " x.so"},
            {"sha256": hashlib.sha256(make.content).hexdigest() + "  a/x.so"},
            {"sha256": hashlib.sha256(make.content).hexdigest() + "  .."},
            {"name": ""}, {"name": "two words"}, {"name": "n" * 129}, {"version": "v" * 129},
            {"sequence": "-1"}, {"sequence": "07"}, {"sequence": "18446744073709551616"},
            {"sequence": "99999999999999999999"},
            {"not_before": "2098-01-01T00:00:00Z"}, {"not_after": "2021-01-01T00:00:00Z"},
            {"not_after": "2099-02-30T00:00:00Z"}, {"not_after": "2099-01-01T24:00:00Z"},
            {"not_after": "2099-01-01 00:00:00Z"}, {"not_after": "2099-01-01"},
            {"needed": []}, {"needed": ["libevil.so"]}, {"needed": make.needed + ["libz.so.1"]},
            {"needed": make.needed[:1] * 2 + make.needed[1:]}, {"more": "x"}):
        yield str(changes), *make.bundle(signer, make.statement(**changes))
    for what, other_text in (
            ("another document", "release notes\n" + message.split("\n", 1)[1]),
            ("only a digest", f"x\nsha256: {hashlib.sha256(make.content).hexdigest()}  x.so\n"),
            ("two fields in another order", message.replace(
                "abi: 1\n", "").replace("kind:", "abi: 1\nkind:")),
            ("text behind its end", message + "more\n"), ("no end", message[:-4]),
            ("a tab", message.replace("acme.score", "acme\tscore")),
            ("a NUL", message.replace("acme.score", "acme\0score")),
            ("Latin-1", message.replace("acme.score", "acme\xe9")),
            ("line ends of Windows", message.replace("\n", "\r\n"))):
        yield f"a statement with {what}", *make.bundle(signer, other_text)

    # The file.
    for what, spoilt in (
            ("text behind it", text + "x\n"), ("an empty line behind it", text + "\n"),
            ("no line feed at its end", text[:-1]), ("line ends of Windows",
                                                     text.replace("\n", "\r\n")),
            ("a second signature", text.replace("-----BEGIN CERT", block(
                "ALLOY SIGNATURE", b"x") + "-----BEGIN CERT", 1)),
            ("no certificate", text[:text.index("-----BEGIN CERT")]),
            ("another label", text.replace("ALLOY SIGNATURE", "SIGNATURE")),
            ("lines of another width", text.replace("-----BEGIN CERTIFICATE-----\n",
                                                    "-----BEGIN CERTIFICATE-----\nMII\n")),
            ("text between its blocks", text.replace("-----BEGIN CERT", "x\n-----BEGIN CERT")),
            ("a comment in its certificate", text.replace(
                "-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nA: b\n\n")),
            ("more than 64 KiB", text + block("CERTIFICATE", own) * 200),
            ("nothing", "")):
        yield f"a file with {what}", spoilt, own
