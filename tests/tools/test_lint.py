# SPDX-License-Identifier: MIT
"""Formatters and linters are really asked, and their word reaches the check."""

import json
import subprocess

from support import ROOT, RepositoryTest

from checks import lint

CARGO = """\
[package]
name = "probe"
version = "0.1.0"
edition = "2021"
"""
GO_MOD = "module probe\n\ngo 1.25\n"


class FormatTest(RepositoryTest):
    def test_clang_format(self):
        files = {".clang-format": "BasedOnStyle: Google\n", "a.cc": "int  x ;\n"}
        self.assertEqual(lint.check_clang_format(self.tree(files)), ["a.cc: not formatted"])
        self.assertEqual(lint.check_clang_format(self.tree({"a.cc": "int x;\n"})), [])

    def test_clang_format_without_files(self):
        self.expect_fault(lint.check_clang_format(self.tree({})), "no C or C++ file")

    def test_generated_files_are_left_alone(self):
        files = {"a.cc": "int x;\n", "b.cc": "// Written by tools/amalgamate\nint  x ;\n"}
        self.assertEqual(lint.check_clang_format(self.tree(files)), [])

    def test_gofmt(self):
        self.assertEqual(lint.check_gofmt(self.tree({"a.go": "package  a\n"})),
                         ["a.go: not formatted"])
        self.assertEqual(lint.check_gofmt(self.tree({"a.go": "package a\n"})), [])
        self.expect_fault(lint.check_gofmt(self.tree({"a.go": "func {\n"})), "a.go")

    def test_rustfmt(self):
        files = {"Cargo.toml": CARGO, "src/lib.rs": "pub fn  f( ) {}\n"}
        self.expect_fault(lint.check_rustfmt(self.tree(files)), "src/lib.rs: not formatted")
        self.assertEqual(lint.check_rustfmt(self.tree({"src/lib.rs": "pub fn f() {}\n"})), [])


class LinterTest(RepositoryTest):
    def test_go_vet(self):
        source = 'package a\n\nimport "fmt"\n\nfunc F() { fmt.Printf("%d", VALUE) }\n'
        files = {"go.mod": GO_MOD, "a.go": source.replace("VALUE", '"text"')}
        self.expect_fault(lint.check_go_vet(self.tree(files)), "Printf")
        self.assertEqual(lint.check_go_vet(self.tree({"a.go": source.replace("VALUE", "1")})), [])

    def test_clippy(self):
        tree = self.tree({"Cargo.toml": CARGO,
                          "src/lib.rs": "pub fn f(x: i32) -> i32 {\n    return x;\n}\n"})
        subprocess.run(["cargo", "generate-lockfile", "--offline", "-q"], cwd=self.root,
                       check=True)
        self.expect_fault(lint.check_clippy(tree), "return")
        tree = self.tree({"src/lib.rs": "pub fn f(x: i32) -> i32 {\n    x\n}\n"})
        self.assertEqual(lint.check_clippy(tree), [])

    def test_amalgamation(self):
        tree = self.tree({"tools/amalgamate": "#!/bin/sh\necho stale $1\nexit 1\n"})
        (self.root / "tools/amalgamate").chmod(0o755)
        self.assertEqual(lint.check_amalgamation(tree), ["stale --check"])


class ClangTidyTest(RepositoryTest):
    def tidy(self, header, source="src/a.cc"):
        command = {"directory": str(self.root), "file": source,
                   "command": f"g++ -std=c++20 -Isrc -c {source}"}
        return self.tree({
            ".clang-tidy": (ROOT / ".clang-tidy").read_text(),
            lint.COMPILE_COMMANDS: json.dumps([command]),
            "src/a.h": header, source: '#include "a.h"\nint F(int x) { return G(x); }\n'})

    GOOD = "int F(int x);\ninline int G(int x) { return x; }\n"
    BAD = "int F(int x);\ninline int G(int x) {\n  if (x = 1) return 2;\n  return x;\n}\n"

    def test_fault_in_a_header_is_found_also_when_the_source_was_clean_before(self):
        self.assertEqual(lint.check_clang_tidy(self.tidy(self.GOOD)), [])
        self.expect_fault(lint.check_clang_tidy(self.tidy(self.BAD)), "src/a.h")

    def test_clean_file_is_looked_at_once(self):
        tree = self.tidy(self.GOOD)
        self.assertEqual(lint.check_clang_tidy(tree), [])
        marks = list((self.root / lint.TIDY_CACHE).iterdir())
        self.assertEqual(len(marks), 1)
        self.assertEqual(lint.check_clang_tidy(tree), [])
        self.assertEqual(list((self.root / lint.TIDY_CACHE).iterdir()), marks)

    def test_nothing_compiled_is_a_fault(self):
        self.expect_fault(lint.check_clang_tidy(self.tree({})), "is missing")
        self.expect_fault(lint.check_clang_tidy(self.tidy(self.GOOD, "elsewhere/a.cc")),
                          "no file of ours")
