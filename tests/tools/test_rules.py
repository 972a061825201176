# SPDX-License-Identifier: MIT
"""The rules on modules, symbols and text can fail."""

import subprocess

from support import ROOT, RepositoryTest

from checks import modules, symbols, text

TABLE = {"tools/modules.txt": "base\nport  base\nengine  base port  # a comment\n"}


class ModulesTest(RepositoryTest):
    def edges(self, path, line):
        return modules.check_module_edges(self.tree({**TABLE, path: line + "\n"}))

    def test_allowed_edges_pass(self):
        for line in ('#include "base/x.h"', '#include "engine/y.h"', '#include "alloy/a.h"',
                     "#include <vector>"):
            self.assertEqual(self.edges("src/engine/e.cc", line), [], line)

    def test_forbidden_edge_is_found(self):
        self.expect_fault(self.edges("src/port/p.cc", '#  include "engine/e.h"'), "port")

    def test_unknown_module_is_found(self):
        self.expect_fault(self.edges("src/extra/e.cc", ""), "extra is not in")

    def test_header_without_its_module_is_found(self):
        self.expect_fault(self.edges("src/port/p.cc", '#include "p.h"'), "p.h")

    def test_edge_of_the_build_is_found(self):
        self.expect_fault(
            self.edges("src/port/CMakeLists.txt",
                       "alloy_module(port\n  DEPENDS base engine\n  SOURCES a.cc)"),
            "port may not depend on engine")

    def test_backend_that_looks_inside_the_engine_is_found(self):
        self.expect_fault(self.edges("backends/x/x.cc", '#include "base/x.h"'), "base/x.h")

    def test_support_of_tests_is_for_tests(self):
        line = '#include "tests/support/x.h"'
        self.assertEqual(self.edges("src/base/x_test.cc", line), [])
        self.expect_fault(self.edges("src/base/x.cc", line), "tests/support")

    def test_os_header_outside_port_is_found(self):
        for header in ("unistd.h", "sys/mman.h", "linux/memfd.h", "dlfcn.h", "elf.h"):
            tree = self.tree({"src/base/b.cc": f"#include <{header}>\n"})
            self.expect_fault(modules.check_os_headers(tree), header)

    def test_os_header_in_port_and_c_headers_anywhere_pass(self):
        tree = self.tree({"src/port/p.cc": "#include <unistd.h>\n",
                          "src/base/b.cc": "#include <string.h>\n#include <cerrno>\n"})
        self.assertEqual(modules.check_os_headers(tree), [])

    def test_the_table_is_the_one_of_the_repository(self):
        table = modules.module_table(self.tree(
            {"tools/modules.txt": (ROOT / "tools/modules.txt").read_text()}))
        self.assertEqual(table["capi"], {"base", "engine"})
        self.assertEqual(table["base"], set())


class SymbolsTest(RepositoryTest):
    def library(self, path, source):
        out = self.root / path
        out.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-shared", "-fPIC", "-xc", "-", "-o", out], input=source,
                       text=True, check=True)

    def test_engine_with_another_name_is_found(self):
        self.library(symbols.ENGINE, "int alloy_x; int other(void) {return 0;}")
        self.assertEqual(symbols.check_engine_exports(self.tree({})),
                         [f"{symbols.ENGINE} exports other"])
        self.library(symbols.ENGINE, "int alloy_x;")
        self.assertEqual(symbols.check_engine_exports(self.tree({})), [])

    def test_engine_that_is_missing_or_empty_is_found(self):
        self.expect_fault(symbols.check_engine_exports(self.tree({})), symbols.ENGINE)
        self.library(symbols.ENGINE, "static int x;")
        self.expect_fault(symbols.check_engine_exports(self.tree({})), "exports nothing")

    def test_backend_with_two_exports_is_found(self):
        self.library("build/backends/a.so", "int alloy_backend_init; int two;")
        self.expect_fault(symbols.check_backend_exports(self.tree({})), "a.so", "two")
        self.library("build/backends/a.so", "int alloy_backend_init;")
        self.assertEqual(symbols.check_backend_exports(self.tree({})), [])

    def test_no_backend_is_a_fault(self):
        self.expect_fault(symbols.check_backend_exports(self.tree({})), "no backend")


class TextTest(RepositoryTest):
    def test_source_without_licence_is_found(self):
        tree = self.tree({"a.cc": "int x;\n", "script": "#!/bin/sh\n", "b.md": "text\n",
                          "c.h": "// SPDX-License-Identifier: MIT\n"})
        self.assertEqual([f.split(":")[0] for f in text.check_spdx(tree)], ["a.cc", "script"])

    def test_path_of_one_machine_is_found(self):
        path = "/wo" + "rk/main/x"
        self.expect_fault(text.check_places(self.tree({"a.md": f"see {path}\n"})), "a.md:1")
        self.assertEqual(text.check_places(self.tree({"a.md": "see frame/wo" "rk/main\n"})), [])

    def test_address_of_a_registry_is_found(self):
        host = "proxy.go" + "lang.org"
        self.expect_fault(text.check_places(self.tree({"a.sh": f"x\nfetch {host}\n"})), "a.sh:2")
        self.assertEqual(text.check_places(self.tree({"a.sh": "x\n", "Cargo.lock": host})), [])

    def test_target_without_help_is_found(self):
        self.expect_fault(text.check_make_help(self.tree({"Makefile": "all:\n\ttrue\n"})), "all")

    def test_help_that_is_silent_about_a_target_is_found(self):
        makefile = "help: ## h\n\t@echo help\nother: ## o\n\t@true\n"
        self.expect_fault(text.check_make_help(self.tree({"Makefile": makefile})),
                          "does not tell of other")
        self.assertEqual(text.check_make_help(self.tree(
            {"Makefile": makefile.replace("echo help", "printf 'help\\nother\\n'")})), [])
