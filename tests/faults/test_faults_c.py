# SPDX-License-Identifier: MIT
"""Every fault case from Python, through the C ABI alone: as an input, and as a result.

This is how a binding uses the cases: see faults.h. It needs ctypes and no other package.
Run it with `python3 tests/faults/test_faults_c.py` after a build.
"""

import ctypes
import os
import unittest
from ctypes import byref, c_char_p, c_int32, c_int64, c_uint16, c_uint32, c_uint64, c_void_p

from fault_cases import ANY_COLUMN, ARRAY, BUILD, CASES, SCHEMA, Array, Tree, faults, library

# The suite cpp-isolated runs the same tests with each backend in worker processes.
ISOLATED = 1 if os.environ.get("ALLOY_TEST_ISOLATED") == "1" else 0
OK, BAD_DATA = 0, 2
ALLOW_UNSIGNED = 1
SAFE = 2  # the level at which results are checked
CALLER, BACKEND = 0, 2


class Error(ctypes.Structure):
    _fields_ = [("code", c_int32), ("reason", c_int32), ("input", c_int32),
                ("column", c_int32), ("side", c_uint16), ("length", c_uint16),
                ("text", ctypes.c_char * 1004)]


class HostOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("flags", c_uint32), ("worker", c_char_p),
                ("may_need", c_void_p), ("language", c_char_p), ("log_mode", c_int32),
                ("log_fd", c_int32), ("log", c_void_p), ("log_context", c_void_p)]


class BridgeOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("isolated", c_uint32), ("check_inputs", c_uint32),
                ("check_results", c_uint32), ("max_workers", c_uint32), ("retries", c_uint32),
                ("sizes", c_int64 * 4), ("name", c_char_p), ("min_sequence", c_uint64),
                ("sidecar", c_char_p), ("sha256", c_char_p), ("demand", c_uint32),
                ("reserved", c_uint32)]


alloy = library(BUILD / "lib/liballoy.so", alloy_reason_name=c_char_p, alloy_call_free=None,
                alloy_bridge_free=None, alloy_host_free=None)


class Host:
    """A bridge on a backend of the tests, with one bound call."""

    def __init__(self, backend, inputs=0, results=0):
        self.host, self.bridge, self.call = c_void_p(), c_void_p(), c_void_p()
        error = Error()
        options = HostOptions(struct_size=ctypes.sizeof(HostOptions), flags=ALLOW_UNSIGNED)
        alloy.alloy_host_new(byref(options), byref(self.host), byref(error))
        options = BridgeOptions(struct_size=ctypes.sizeof(BridgeOptions), isolated=ISOLATED,
                                check_inputs=inputs, check_results=results)
        alloy.alloy_bridge_new(self.host, byref(options), byref(self.bridge), byref(error))
        path = str(BUILD / f"backends/tests/{backend}.so").encode()
        if alloy.alloy_bridge_load(self.bridge, path, None, byref(error)) != OK:
            raise RuntimeError(error.text.decode())

    def bind(self, function, tree, *options):
        alloy.alloy_call_free(self.call)
        error = Error()
        pairs = (c_char_p * (len(options) + 1))(*options, None)
        alloy.alloy_call_bind(self.bridge, function, tree.schema(), 1, pairs, byref(self.call),
                              byref(error))
        return error

    def run(self, tree):
        """The error, and whether there was a result, which is released."""
        output, error = Array(), Error()
        alloy.alloy_call_run(self.call, tree.array(), byref(output), c_int64(0), c_uint64(0),
                             byref(error))
        given = bool(output.release)
        if given:
            output.release(ctypes.addressof(output))
        return error, given

    def close(self):
        alloy.alloy_call_free(self.call)
        alloy.alloy_bridge_free(self.bridge)
        alloy.alloy_host_free(self.host)


def reason(number):
    return alloy.alloy_reason_name(number).decode()


class FaultsTest(unittest.TestCase):
    def check(self, case, error, input_number, side):
        self.assertEqual(error.code, case.code, error.text)
        if case.code == OK:
            return
        self.assertIn(reason(error.reason), case.reasons, error.text)
        if case.column != ANY_COLUMN:
            self.assertEqual(error.column, case.column, error.text)
        self.assertEqual((error.input, error.side), (input_number, side), error.text)

    def each(self, kind, attempt):
        cases = [case for case in CASES if case.kind == kind]
        self.assertGreater(len(cases), 30)
        for case in cases:
            with self.subTest(case=case.name.decode()):
                attempt(case)

    def serves(self, host, function, *options):
        """The next call succeeds, and its input is released once."""
        good = Tree()
        self.assertEqual(host.bind(function, good, *options).code, OK)
        error, given = host.run(good)
        self.assertEqual((error.code, given, good.releases()), (OK, True, 1), error.text)
        good.free()

    def test_arrays_as_inputs(self):
        def attempt(case):
            host, good, bad = Host("identity", inputs=case.level), Tree(), Tree(case)
            self.assertEqual(host.bind(b"identity", good).code, OK)
            error, given = host.run(bad)
            self.check(case, error, 0, CALLER)
            self.assertEqual((given, bad.releases()), (case.code == OK, 1))
            self.serves(host, b"identity")
            host.close()
            good.free()
            bad.free()
        self.each(ARRAY, attempt)

    def test_schemas_as_inputs(self):
        def attempt(case):
            host, bad = Host("identity"), Tree(case)
            self.check(case, host.bind(b"identity", bad), 0, CALLER)
            self.serves(host, b"identity")
            host.close()
            bad.free()
        self.each(SCHEMA, attempt)

    def test_arrays_as_results(self):
        def attempt(case):
            host, tree = Host("lie", results=max(case.level, SAFE)), Tree()
            self.assertEqual(host.bind(b"lie", tree, b"fault", case.name).code, OK)
            error, given = host.run(tree)
            self.check(case, error, -1, BACKEND)
            self.assertEqual((given, tree.releases()), (case.code == OK, 1))
            self.serves(host, b"lie", b"fault", b"untouched")
            host.close()
            tree.free()
        self.each(ARRAY, attempt)

    def test_schemas_as_results(self):
        def attempt(case):
            host, tree = Host("lie"), Tree()
            self.check(case, host.bind(b"lie_in_schema", tree, b"fault", case.name), -1, BACKEND)
            self.serves(host, b"lie", b"fault", b"untouched")
            host.close()
            tree.free()
        self.each(SCHEMA, attempt)

    def test_an_unknown_case_has_no_tree(self):
        self.assertIsNone(faults.fault_tree_new(b"no_such_case"))
        self.assertFalse(faults.fault_at(c_int64(len(CASES))))


if __name__ == "__main__":
    unittest.main()
