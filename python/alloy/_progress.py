# SPDX-License-Identifier: MIT
"""The progress of a call, for a callable, a tqdm bar or a task of rich."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from . import _alloy

Reporter = Callable[[int, int | None], object]
_PERIOD = 0.1  # seconds


def reporter(progress: Any) -> Reporter:
    """What takes (done, total) and shows it in `progress`."""
    if isinstance(progress, tuple) and len(progress) == 2:
        display, task = progress
        if callable(getattr(display, "update", None)):
            return lambda done, total: display.update(task, completed=done, total=total)
    elif callable(getattr(progress, "update", None)) and hasattr(progress, "total"):
        def update(done: int, total: int | None) -> None:
            progress.total = total
            progress.update(done - progress.n)
        return update
    elif callable(progress):
        call: Reporter = progress
        return call
    raise TypeError("progress must be a callable, a tqdm bar, or a tuple of a rich Progress "
                    f"and a task, not {type(progress).__name__}")


@contextlib.contextmanager
def watching(function: _alloy.Function, report: Reporter) -> Iterator[None]:
    """Report what the calls of `function` have done, until the block ends."""
    ended = threading.Event()
    last: list[tuple[int, int | None]] = []
    failures: list[BaseException] = []

    def show() -> None:
        progress = _alloy.progress_of(function)
        if progress[0] and progress not in last:
            last[:] = [progress]
            report(*progress)

    def poll() -> None:
        try:
            while not ended.wait(_PERIOD):
                show()
        except BaseException as error:  # the caller of the function gets it
            failures.append(error)
            function.cancel()

    thread = threading.Thread(target=poll, name="alloy-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        if failures:
            raise failures[0]
    show()
