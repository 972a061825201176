# SPDX-License-Identifier: MIT
"""What the adapters of scalar expressions have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._errors import InvalidError, UnsupportedError

if TYPE_CHECKING:
    from . import Function


def require_rowwise(function: Function, instead: str) -> None:
    """Raise UnsupportedError if rows of the output do not belong to rows of the input.

    An engine splits and orders rows as it likes, so any other function would give results
    that depend on the engine.
    """
    if not function.rowwise:
        raise UnsupportedError(
            f"{function.name} is not declared ROWWISE, so it cannot be an expression on rows: "
            f"{instead}", side="caller")


def column_names(function: Function, n: int) -> tuple[str, ...]:
    """The names of n columns of the only input; a function that declares none takes any."""
    declared = tuple(function.inputs[0]) if function.inputs else ()
    if declared and len(declared) != n:
        raise InvalidError(f"{function.name} takes {len(declared)} columns "
                           f"({', '.join(declared)}), not {n}", side="caller")
    return declared or tuple(f"column{i}" for i in range(n))
