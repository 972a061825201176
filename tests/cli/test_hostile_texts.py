# SPDX-License-Identifier: MIT
"""No name in a file controls the terminal or forges a line of a report."""

import codecs
import json
import os
import re
import struct
import subprocess
import unicodedata

import bundles
from support import ROOT, PROGRAM, CommandTest

JOINERS = "\u200c\u200d"
# Arabic and Kaithi signs that are of the category Cf, and are shown.
SHOWN = {chr(c) for c in (*range(0x600, 0x606), 0x6dd, 0x70f, 0x890, 0x891, 0x8e2, 0x110bd,
                          0x110cd)}


def hostile_texts():
    """The table of tests/support/hostile_texts.h."""
    text = (ROOT / "tests/support/hostile_texts.h").read_text()
    body = text[text.index("kHostileTexts[] = {"):text.index("\n};")]
    body = re.sub(r"//.*", "", body[body.index("{") + 1:])
    for entry in body.split("sv,"):
        parts = re.findall(r'"((?:[^"\\]|\\.)*)"', entry)
        if parts:
            yield b"".join(codecs.escape_decode(p.encode())[0] for p in parts)


def unsafe(output):
    """What a terminal would obey; line feeds are the program's own."""
    text = output.decode("utf-8", "surrogateescape")
    return [c for c in text if c != "\n" and c not in JOINERS and c not in SHOWN
            and (unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs"))]


def library(needed, exported=b"alloy_backend_init", repeat=1):
    """A small ELF file whose names are any bytes; it needs each so many times."""
    strings = b"\0" + exported + b"\0" + b"".join(n + b"\0" for n in needed)
    offsets, at = [], 2 + len(exported)
    for name in needed:
        offsets.append(at)
        at += len(name) + 1
    symbols_at = 64 + 56 * 3
    symbols = bytes(24) + struct.pack("<IBBHQQ", 1, 0x12, 0, 1, 0x40, 0)
    hash_at = symbols_at + len(symbols)
    table = struct.pack("<5I", 1, 2, 1, 0, 0) + bytes(4)
    strings_at = hash_at + len(table)
    dynamic_at = (strings_at + len(strings) + 7) & ~7
    entries = [(6, symbols_at), (11, 24), (4, hash_at), (5, strings_at), (10, len(strings))]
    entries += [(1, o) for o in offsets] * repeat + [(0, 0)]
    dynamic = b"".join(struct.pack("<qQ", *e) for e in entries)
    total = dynamic_at + len(dynamic)
    machine = {"x86_64": 62, "aarch64": 183}[os.uname().machine]
    image = b"\x7fELF" + bytes([2, 1, 1, 0]) + bytes(8) + struct.pack(
        "<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 3, 0, 0, 0)
    image += struct.pack("<IIQQQQQQ", 1, 6, 0, 0, 0, total, total, 65536)
    image += struct.pack("<IIQQQQQQ", 2, 6, dynamic_at, dynamic_at, dynamic_at, len(dynamic),
                         len(dynamic), 8)
    image += struct.pack("<IIQQQQQQ", 0x6474e551, 6, 0, 0, 0, 0, 0, 16)
    image += symbols + table + strings
    return image + bytes(dynamic_at - len(image)) + dynamic


class HostileTextsTest(CommandTest):
    def outputs(self, *arguments):
        """Both outputs of a command, as bytes, after a look at them."""
        done = subprocess.run([PROGRAM, *arguments], cwd=self.here, capture_output=True,
                              timeout=60, stdin=subprocess.DEVNULL)
        for output in (done.stdout, done.stderr):
            self.assertEqual(unsafe(output), [], output)
        if b"--json" in arguments or "--json" in arguments:
            self.assertEqual(done.stdout.count(b"\n"), 1, done.stdout)
            json.loads(done.stdout)
        for line in done.stderr.splitlines():
            self.assertRegex(line, rb"^(error\[E\d+\]|at|help|warning): |^  ", done.stderr)
        return done.stdout, done.stderr

    def report(self, *arguments):
        """The first words of the lines of a report."""
        return [line.split(b"  ")[0] for line in self.outputs(*arguments)[0].splitlines()]

    def setUp(self):
        super().setUp()
        self.texts = list(hostile_texts())
        self.assertGreater(len(self.texts), 15)
        self.succeed("keygen", "--out", "dev", "--quiet")

    def test_names_of_an_elf_file(self):
        (self.here / "plain.so").write_bytes(library([b"libc.so.6"]))
        expected = self.report("inspect", "plain.so")
        for text in self.texts:
            text = text.replace(b"\0", b"")
            for needed, exported in (([text], b"alloy_backend_init"), ([b"/" + text], b"x"),
                                     ([b"libc.so.6"], text), ([text * 200], text)):
                (self.here / "bad.so").write_bytes(library(needed, exported))
                found = self.report("inspect", "bad.so")
                # The labels, and blanks where a list goes on.
                self.assertLessEqual(set(found), set(expected) | {b"problems", b""}, text)
                self.outputs("inspect", "bad.so", "--json")
                self.outputs("verify", "bad.so", "--certificate", "@dev.crt")
                self.outputs("sign", "bad.so", "--key", "dev.key", "--cert", "dev.crt", "--name",
                             "a", "--version", "1")

    def test_names_of_files(self):
        for text in self.texts:
            name = text.replace(b"\0", b"").replace(b"/", b"") + b".so"
            self.outputs("verify", name, "--certificate", "@dev.crt")
            (self.here / os.fsdecode(name)).write_bytes(library([b"libc.so.6"]))
            self.outputs("inspect", name)
            self.outputs("inspect", name, "--json")
            self.outputs("verify", name, "--certificate", "@dev.crt")
            self.outputs("verify", "plain.so", "--certificate", b"@" + name)
            self.outputs("sign", name, "--key", "dev.key", "--cert", "dev.crt", "--name", "a",
                         "--version", "1")

    def test_every_control_and_format_character(self):
        characters = [chr(c) for c in range(1, 0x110000) if not 0xd800 <= c < 0xe000
                      and unicodedata.category(chr(c)) in ("Cc", "Cf", "Zl", "Zp")]
        for at in range(0, len(characters), 30):
            name = "x" + "".join(characters[at:at + 30]) + ".so"
            self.outputs("inspect", name)
            self.outputs("inspect", name, "--json")

    def test_signature_files_and_certificates(self):
        (self.here / "any.so").write_bytes(library([b"libc.so.6"]))
        make = bundles.Maker(self.here, self.here / "any.so")
        for text in self.texts:
            text = text.decode("latin-1")
            for message in (make.statement(name=text), make.statement(needed=[text]), text):
                (self.here / "any.so.alloysig").write_text(
                    message + bundles.block("ALLOY SIGNATURE", b"x")
                    + bundles.block("CERTIFICATE", bundles.der_of(self.here / "dev.crt")),
                    encoding="latin-1", newline="")
                self.outputs("verify", "any.so", "--certificate", "@dev.crt")
                self.outputs("inspect", "any.so")
                self.outputs("inspect", "any.so", "--json", "--certificate", "@dev.crt")
        for subject in ("\x1b[2J", "a\u202eb", "\x9b31m", "x\u2028y", "\ufeff", "a\tb"):
            key, certificate = make.certificate(subject=f"/CN=a{subject}")
            text, anchor = make.bundle((key, certificate))
            (self.here / "any.so.alloysig").write_text(text)
            self.outputs("inspect", "any.so", "--certificate", f"@{certificate}")
            self.outputs("inspect", "any.so", "--json")

    def test_the_table_of_a_backend(self):
        source = """
#include <stddef.h>
#include "alloy/backend.h"
static alloy_code Bind(void* self, alloy_scope* scope, const struct ArrowSchema* inputs,
                       int32_t n, const char* const* values, struct ArrowSchema* output,
                       void** state) { return ALLOY_FAILED; }
static alloy_code Run(void* state, alloy_scope* scope, struct ArrowArray* inputs, int32_t n,
                      struct ArrowArray* output) { return ALLOY_FAILED; }
static const alloy_column columns[] = {{.name = TEXT, .accepts = TEXT}, {.name = NULL}};
static const alloy_column* const lists[] = {columns, NULL};
static const alloy_option options[] = {{"by", TEXT, TEXT}, {NULL, NULL, NULL}};
static const alloy_function one = {.struct_size = sizeof(one), .name = "one", .summary = TEXT,
  .options = options, .min_inputs = 1, .max_inputs = 1, .columns = lists, .bind = Bind,
  .run = Run};
static const alloy_function* const functions[] = {&one, NULL};
static const alloy_backend backend = {.struct_size = sizeof(backend), .abi = ALLOY_ABI,
  .name = "acme.bad", .version = "1", .language = "C", .functions = functions};
const alloy_backend* alloy_backend_init(const alloy_services* services, alloy_scope* scope) {
  return &backend;
}
"""
        for text in self.texts[:8] + [b"".join(t.replace(b"\0", b"") for t in self.texts)]:
            literal = '"' + "".join(f"\\{byte:03o}" for byte in text.replace(b"\0", b"")) + '"'
            subprocess.run(
                ["gcc", "-w", "-shared", "-fPIC", "-fvisibility=hidden", f"-I{ROOT}/include",
                 f"-DTEXT={literal}", "-xc", "-", "-o", "bad.so",
                 f"-Wl,--version-script={ROOT}/cmake/alloy_backend.map"],
                input=source, text=True, check=True, cwd=self.here, timeout=60)
            self.succeed("sign", "bad.so", "--key", "dev.key", "--cert", "dev.crt", "-q")
            found = self.outputs("inspect", "bad.so", "--certificate", "@dev.crt")[0]
            listed = found[found.index(b"\nfunction"):].splitlines()
            for line in listed[2:]:
                self.assertTrue(line.startswith(b"  "), found)
            self.outputs("inspect", "bad.so", "--json", "--certificate", "@dev.crt")
