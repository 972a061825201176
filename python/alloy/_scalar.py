# SPDX-License-Identifier: MIT
"""What the adapters of scalar expressions have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._errors import UnsupportedError

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


def columns_of(function: Function) -> list[str]:
    """The declared columns of the only input; empty: it takes any."""
    return list(function.inputs[0]) if function.inputs else []
