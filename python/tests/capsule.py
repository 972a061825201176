# SPDX-License-Identifier: MIT
"""Capsules that no Arrow library would make: of structs at any address, and of any callbacks."""

import ctypes
from ctypes import CFUNCTYPE, c_char_p, c_int, c_void_p

_new = ctypes.pythonapi.PyCapsule_New
_new.restype = ctypes.py_object
_new.argtypes = [c_void_p, c_char_p, c_void_p]
# Capsules do not own their names.
_names = {n: ctypes.create_string_buffer(n) for n in (
    b"arrow_schema", b"arrow_array", b"arrow_array_stream", b"wrong", b"")}
SIZES = {"schema": 72, "array": 80}


def capsule(name, address):
    """A capsule that owns nothing."""
    return _new(address, _names[name], None)


class Offers:
    """An object whose protocol methods return, or raise, what a test wants."""

    def __init__(self, **methods):
        for name, result in methods.items():
            setattr(self, f"__arrow_c_{name}__", self._method(result))

    @staticmethod
    def _method(result):
        def method(requested_schema=None):
            if isinstance(result, BaseException):
                raise result
            return result() if callable(result) else result
        return method


def move(kind, source, target):
    """Move a struct, as C does: the source is released afterwards."""
    ctypes.memmove(target, source, SIZES[kind])
    ctypes.memset(source, 0, SIZES[kind])


class Stream(ctypes.Structure):
    """An ArrowArrayStream that gives away a schema and arrays at these addresses."""

    _fields_ = [("get_schema", CFUNCTYPE(c_int, c_void_p, c_void_p)),
                ("get_next", CFUNCTYPE(c_int, c_void_p, c_void_p)),
                ("get_last_error", CFUNCTYPE(c_void_p, c_void_p)),
                ("release", CFUNCTYPE(None, c_void_p)), ("private_data", c_void_p)]

    def __init__(self, schema, arrays, *, without=None):
        rest = iter(arrays)

        def get_schema(_, out):
            ctypes.memmove(out, schema, SIZES["schema"])
            # Lent, so that it can be asked for twice: the test releases it.
            callback = c_void_p.from_address(out + 56)
            if callback.value:
                callback.value = ctypes.cast(_keep, c_void_p).value
            return 0

        def get_next(_, out):
            ctypes.memset(out, 0, SIZES["array"])
            for array in rest:
                move("array", array, out)
                break
            return 0

        def release(stream):
            self.releases += 1
            c_void_p.from_address(stream + 24).value = None

        self.releases = 0
        callbacks = {"get_schema": get_schema, "get_next": get_next,
                     "get_last_error": lambda _: None, "release": release}
        super().__init__(**{name: dict(self._fields_)[name](f) for name, f in callbacks.items()
                            if name != without})

    def capsule(self):
        return capsule(b"arrow_array_stream", ctypes.addressof(self))


@CFUNCTYPE(None, c_void_p)
def _keep(schema):
    c_void_p.from_address(schema + 56).value = None
