# SPDX-License-Identifier: MIT
"""What a process sets for all of its bridges, or for one: the policy and the limits."""

import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from . import _alloy
from ._log import Lines


class Host:
    """The policy of this process: which libraries may be loaded, and where log lines go.

    `log` is a file descriptor, or a callable that gets each line as a str; None is standard
    error. A thread of Python calls it, never a thread of the engine. Lines are dropped, and
    nothing waits, while a megabyte of them is not yet read.

    >>> import alloy
    >>> host = alloy.Host(log=1)
    >>> alloy.Bridge(host).echo.name
    'echo'
    """

    def __init__(self, *, allow_unsigned: bool = False, load_plainly: bool = False,
                 may_need: Sequence[str] = (), worker: str | None = None,
                 log: Callable[[str], object] | int | None = None,
                 log_mode: Literal["echo", "always", "never"] = "echo") -> None:
        if isinstance(may_need, str):
            raise TypeError("may_need must be a sequence of str, not one str")
        flags = (1 if allow_unsigned else 0) | (2 if load_plainly else 0)
        if log_mode not in ("echo", "always", "never"):
            raise ValueError(f"log_mode must be echo, always or never, not {log_mode!r}")
        # What other processes need to open the same libraries; see Stage.
        self._policy = (("allow_unsigned", allow_unsigned), ("load_plainly", load_plainly),
                        ("may_need", tuple(may_need)), ("worker", worker))
        if worker is None:
            beside = pathlib.Path(_alloy.__file__).with_name("alloy-worker")
            worker = str(beside) if beside.exists() else None
        owns_fd = callable(log)
        fd = Lines(log).fd if callable(log) else 0 if log is None else log
        self._core = _alloy.make_host(
            flags, list(may_need), worker, ("echo", "always", "never").index(log_mode), fd,
            owns_fd)

    def info(self, text: str) -> None:
        """Write a log line with the label Python."""
        self._core.info(text)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of the isolated mode, ignored in process. 0 is the engine's default.

    `grace` is how many seconds a worker has to end a call that was cancelled. `setup` is how
    many seconds it has to load the library, to bind a function, and to open a stream, each;
    then it is killed and the call raises WorkerLostError.

    >>> import alloy
    >>> alloy.Limits(max_workers=2).max_workers
    2
    """

    max_workers: int = 1
    input_bytes: int = 0
    output_bytes: int = 0
    heap_bytes: int = 0
    grace: float = 0.5
    setup: float = 60.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value < 2**62:
                raise ValueError(f"{name} must not be negative or above 2**62, but is {value}")
        if self.grace > 1e9:
            raise ValueError(f"grace must be at most 1e9 seconds, but is {self.grace}")
        if self.setup > 4e6:
            raise ValueError(f"setup must be at most 4e6 seconds, but is {self.setup}")


def read_certificate(text: str | None) -> str | None:
    """Base64 text, or @FILE of PEM or of base64."""
    if text is not None and not isinstance(text, str):
        raise TypeError("certificate must be a str, base64 text or @FILE, not "
                        f"{type(text).__name__}")
    if text is None or not text.startswith("@"):
        return text
    lines = pathlib.Path(text[1:]).read_text().splitlines()
    return "".join(line.strip() for line in lines if not line.startswith("-----"))
