# SPDX-License-Identifier: MIT
"""The exceptions of Alloy: one class for each code of the engine."""

import ast
import re
from typing import Any


class AlloyError(Exception):
    """An error of the engine, of a backend, or of a worker.

    `code` and `reason` are the names of alloy.h, such as "REFUSED" and "DIGEST". `input` and
    `column` are None where they do not apply. `side` is whose fault it is: "caller",
    "engine", "backend" or "worker". `retryable`: the same call may succeed later.
    """

    code: str = "INTERNAL"

    def __init__(self, text: str, *, reason: str = "NONE", input: int | None = None,
                 column: int | None = None, side: str = "engine", retryable: bool = False,
                 code: str | None = None) -> None:
        if code is not None:
            self.code = code
        self.text = text
        self.reason = reason
        self.input = input
        self.column = column
        self.side = side
        self.retryable = retryable
        super().__init__(str(self))

    def __str__(self) -> str:
        reason = "" if self.reason == "NONE" else f"/{self.reason}"
        at = "" if self.input is None else f" input={self.input}"
        at += "" if self.column is None else f" column={self.column}"
        return f"[ALLOY {self.code}{reason} {self.side}{at}] {self.text}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.code, self.reason, self.input, self.column, self.side, self.text,
                        self.retryable)


class InvalidError(AlloyError, ValueError):
    """The call is wrong: an option, an argument or the number of inputs."""
    code = "INVALID"


class BadDataError(AlloyError, ValueError):
    """The gate refused data: see `side`, `input` and `column`."""
    code = "BAD_DATA"


class NoMatchError(AlloyError, TypeError):
    """The function does not accept the types; the text is a table of both."""
    code = "NO_MATCH"


class NotFoundError(AlloyError, LookupError):
    """The backend has no such function; the text lists those that exist."""
    code = "NOT_FOUND"


class RefusedError(AlloyError):
    """The library is not loaded; `reason` is why."""
    code = "REFUSED"


class BackendError(AlloyError):
    """The backend failed."""
    code = "FAILED"


class RetryError(BackendError):
    """The backend failed, and the same call may succeed later."""
    code = "RETRY"


class CancelledError(AlloyError):
    """The call was cancelled."""
    code = "CANCELLED"


class DeadlineError(AlloyError, TimeoutError):
    """The time of `using(timeout=...)` had passed."""
    code = "TIMEOUT"


class WorkerLostError(AlloyError):
    """The worker died, and this call with it; the next call starts another."""
    code = "LOST"


class ExhaustedError(AlloyError, MemoryError):
    """Out of memory: release results, or raise a limit."""
    code = "EXHAUSTED"


class BusyError(AlloyError):
    """It is in use, or no worker is free: wait."""
    code = "BUSY"


class ClosedError(AlloyError):
    """The bridge or the stream is closed: open another."""
    code = "CLOSED"


class UnsupportedError(AlloyError, NotImplementedError):
    """It does not work in this mode, on this machine or in this version."""
    code = "UNSUPPORTED"


class InternalError(AlloyError):
    """A fault of Alloy: report it."""
    code = "INTERNAL"


_CLASSES: dict[str, type[AlloyError]] = {
    c.code: c for c in (
        InvalidError, BadDataError, NoMatchError, NotFoundError, RefusedError, BackendError,
        RetryError, CancelledError, DeadlineError, WorkerLostError, ExhaustedError, BusyError,
        ClosedError, UnsupportedError, InternalError)}

_TEXT = re.compile(
    r"\[ALLOY (?P<code>[A-Z_]+)(?:/(?P<reason>[A-Z_0-9]+))? (?P<side>caller|engine|backend|worker)"
    r"(?: input=(?P<input>\d+))?(?: column=(?P<column>\d+))?\] (?P<text>[^\n]*"
    r"(?:\n  [^\n]*)*)")  # other lines of a text begin with two blanks

# As repr() writes the exception, for engines that print one inside of their own text.
_QUOTED = re.compile(
    r"""Error\((?P<text>(?P<quote>['"])\[ALLOY (?:\\.|(?!(?P=quote))[^\\])*(?P=quote))\)""", re.S)


def _again(code: str, reason: str, input: int | None, column: int | None, side: str, text: str,
           retryable: bool) -> AlloyError:
    return _CLASSES.get(code, InternalError)(
        text, reason=reason, input=input, column=column, side=side, retryable=retryable,
        code=code)


def make(code: str, reason: str, input: int, column: int, side: str, text: str,
         idempotent: int) -> AlloyError:
    """The exception for an error of the engine; -1 is no input and no column."""
    retryable = code in ("RETRY", "BUSY") or (code == "LOST" and bool(idempotent))
    return _again(code, reason, None if input < 0 else input, None if column < 0 else column,
                  side, text, retryable)


def error_from(exc: BaseException) -> AlloyError | None:
    """Return the Alloy error inside the exception of an engine; None: there is none.

    >>> import alloy
    >>> found = alloy.error_from(RuntimeError("udf: [ALLOY REFUSED/DIGEST engine] changed"))
    >>> found.reason
    'DIGEST'
    """
    seen: set[int] = set()
    pending: list[Any] = [exc]
    while pending:
        one = pending.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        # Ray's own class is both: its error, and a subclass of the class of the cause.
        if isinstance(one, AlloyError) and not isinstance(getattr(one, "cause", None),
                                                          AlloyError):
            return one
        pending += [getattr(one, "cause", None), one.__cause__]
    text = str(exc)
    quoted = _QUOTED.search(text)
    found = _TEXT.search(text if quoted is None else ast.literal_eval(quoted["text"]))
    if found is None:
        return None
    number = {k: None if found[k] is None else int(found[k]) for k in ("input", "column")}
    return _again(found["code"], found["reason"] or "NONE", number["input"], number["column"],
                  found["side"], found["text"], found["code"] in ("RETRY", "BUSY"))
