# SPDX-License-Identifier: MIT
"""The checks of the public headers find what is wrong and pass what is right."""

from support import RepositoryTest

from checks import headers

GOOD = """\
typedef struct alloy_bridge alloy_bridge;
typedef struct alloy_error alloy_error;

// Open it.
//
//   Borrows  bridge, path (a file; NULL: none) and
//            options, for this call. It keeps nothing of extra.
//   Takes    inputs, but for BUSY.
//   Gives    out, NULL unless OK.
ALLOY_API int alloy_open(alloy_bridge* bridge, const char* path,
                         const char* const* options, struct A* inputs,
                         alloy_bridge** out, alloy_error* err);

struct alloy_services {
  // Leave text.
  //   Borrows  scope.
  //   Gives    state; not otherwise.
  int (*fail)(alloy_bridge* scope, const char* text, void** state);
};
"""


class OwnershipTest(RepositoryTest):
    def faults(self, text):
        return headers.check_ownership_words(self.tree({"include/alloy/x.h": text}))

    def test_good_header_passes(self):
        self.assertEqual(self.faults(GOOD), [])

    def test_row_that_was_wrapped_into_another_column_is_found(self):
        text = GOOD.replace("//            options, for this call.", "//   options, for this call.")
        self.expect_fault(self.faults(text), "does not continue the row above it")

    def test_row_that_was_joined_to_another_is_found(self):
        text = GOOD.replace("BUSY.\n//   Gives ", "BUSY. Gives ")
        self.expect_fault(self.faults(text), "a row begins inside a line")

    def test_headers_without_functions_are_a_fault(self):
        self.expect_fault(self.faults("typedef int x;\n"), "no function found")

    def test_pointer_left_out_is_found(self):
        self.expect_fault(self.faults(GOOD.replace("Takes    inputs", "Takes    input")),
                          "alloy_open", "inputs has no ownership word")

    def test_name_mentioned_later_does_not_count(self):
        text = GOOD.replace("struct A* inputs,", "struct A* inputs, struct A* extra,")
        self.expect_fault(self.faults(text), "extra has no ownership word")

    def test_two_words_are_found(self):
        self.expect_fault(self.faults(GOOD.replace("Takes    inputs", "Takes    inputs, bridge")),
                          "bridge has Borrows and Takes")

    def test_function_pointer_is_looked_at(self):
        self.expect_fault(self.faults(GOOD.replace("Borrows  scope", "Uses  scope")),
                          "fail", "scope has no ownership word")

    def test_function_without_comment_is_found(self):
        self.expect_fault(self.faults("ALLOY_API void alloy_free(struct A* a);\n"),
                          "alloy_free", "no ownership word")

    def test_declaration_over_lines_is_read_whole(self):
        self.expect_fault(
            self.faults("ALLOY_API void\nalloy_free(int n,\n           struct A* last);\n"),
            "last has no ownership word")

    def test_borrowed_output_is_found(self):
        text = "// Borrows  out_x.\nALLOY_API void alloy_f(int** out_x);\n"
        self.expect_fault(self.faults(text), "is an output")

    def test_given_constant_is_found(self):
        text = "// Gives    a.\nALLOY_API void alloy_f(const struct A* a);\n"
        self.expect_fault(self.faults(text), "is const")


class HeadersAloneTest(RepositoryTest):
    def faults(self, name, text):
        return headers.check_headers_alone(self.tree({f"include/alloy/{name}": text}))

    def test_guarded_header_passes(self):
        self.assertEqual(self.faults("x.h", "#ifndef X\n#define X\nstruct x {int y;};\n#endif\n"),
                         [])

    def test_missing_include_is_found(self):
        self.expect_fault(self.faults("x.hpp", "#pragma once\nstd::string f();\n"), "x.hpp")

    def test_missing_guard_is_found(self):
        self.expect_fault(self.faults("x.hpp", "struct x {};\n"), "redefinition")

    def test_cplusplus_in_a_c_header_is_found(self):
        faults = self.faults("x.h", "#ifndef X\n#define X\nclass x;\n#endif\n")
        self.expect_fault(faults, "x.h as C11")
        self.assertEqual(len(faults), 1)

    def test_no_header_is_a_fault(self):
        self.expect_fault(headers.check_headers_alone(self.tree({})), "no public header")
