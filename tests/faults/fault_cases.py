# SPDX-License-Identifier: MIT
"""The fault cases for tests in Python, through faults.h. It needs a build, and only ctypes."""

import ctypes
import os
import pathlib
import re
from ctypes import POINTER, c_char_p, c_int32, c_int64, c_uint32, c_void_p

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ALLOY_TEST_BUILD") or os.environ.get("ALLOY_BUILD")
                     or ROOT / "build")

ARRAY, SCHEMA = 0, 1
ANY_FORMAT, ANY_COLUMN = -1, -2
# {number: name}
REASONS = {int(number): name for name, number in re.findall(
    r"X\((\w+), (\d+),", (ROOT / "include/alloy/reason.h").read_text().replace("\\\n", "\n"))}


class Case(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("kind", c_int32), ("code", c_int32),
                ("reason", c_int32), ("column", c_int32), ("level", c_uint32)]

    @property
    def reasons(self):
        """The names of the reasons that Alloy may give."""
        if self.reason == ANY_FORMAT:
            return ["FORMAT_UNKNOWN", "FORMAT_PARAMETER"]
        return [REASONS.get(self.reason, "NONE")]


class Array(ctypes.Structure):
    _fields_ = [("numbers", c_int64 * 5), ("pointers", c_void_p * 3),
                ("release", ctypes.CFUNCTYPE(None, c_void_p)), ("private_data", c_void_p)]


def library(path, **functions):
    """A shared library whose functions have these result types; all take what they are given."""
    loaded = ctypes.CDLL(path)
    for name, result in functions.items():
        getattr(loaded, name).restype = result
    return loaded


faults = library(BUILD / "tests/liballoy_faults.so", fault_count=c_int64, fault_at=POINTER(Case),
                 fault_tree_new=c_void_p, fault_tree_array=POINTER(Array),
                 fault_tree_schema=c_void_p, fault_tree_free=None)
CASES = [faults.fault_at(c_int64(i)).contents for i in range(faults.fault_count())]


class Tree:
    """A batch, broken as a case; without a case it is valid."""

    def __init__(self, case=None):
        self.tree = c_void_p(faults.fault_tree_new(case and case.name))

    def schema(self):
        return c_void_p(faults.fault_tree_schema(self.tree))

    def array(self):
        return faults.fault_tree_array(self.tree)

    def releases(self):
        return faults.fault_tree_releases(self.tree)

    def schema_releases(self):
        return faults.fault_tree_schema_releases(self.tree)

    def free(self):
        faults.fault_tree_release_schema(self.tree)
        faults.fault_tree_free(self.tree)
