# SPDX-License-Identifier: MIT
"""Log lines for a callable: a pipe, and a thread of Python that reads it.

The engine logs from any thread, also from those of a backend. They must not touch Python
objects, so they write to a pipe that never blocks.
"""

import atexit
import fcntl
import os
import select
import struct
import sys
import termios
import threading
import time
import traceback
import weakref
from collections.abc import Callable

_ROOM = 1 << 20  # bytes; the default limit of Linux for a user
_PIECE = 1 << 16
_SECONDS_AT_EXIT = 2.0

_open: "weakref.WeakSet[Lines]" = weakref.WeakSet()


class Lines:
    """The write end of a pipe, and the thread that passes on what was written.

    Who takes `fd` closes it, and then the thread ends.
    """

    def __init__(self, log: Callable[[str], object]) -> None:
        self._source, self.fd = os.pipe()
        os.set_blocking(self.fd, False)
        try:
            fcntl.fcntl(self.fd, fcntl.F_SETPIPE_SZ, _ROOM)
        except OSError:
            pass  # the user has many pipes: this one stays smaller
        self._log = log
        self._waits = True
        _open.add(self)
        threading.Thread(target=self._run, name="alloy-log", daemon=True).start()

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._source, select.POLLIN)
        rest = b""
        try:
            while True:
                poll.poll()
                self._waits = False  # before the read, so that `drain` sees one or the other
                piece = os.read(self._source, _PIECE)
                if not piece:
                    return
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    self._pass_on(line.decode("utf-8", "replace"))
                self._waits = True
        finally:
            _open.discard(self)
            os.close(self._source)

    def _pass_on(self, line: str) -> None:
        try:
            self._log(line)
        except Exception:
            traceback.print_exc(file=sys.stderr)

    def drain(self, until: float) -> None:
        """Wait until the callable has had every line, or for the time to come."""
        while time.monotonic() < until:
            unread = fcntl.ioctl(self._source, termios.FIONREAD, struct.pack("i", 0))
            if struct.unpack("i", unread)[0] == 0 and self._waits:
                return
            time.sleep(0.002)


@atexit.register
def _at_exit() -> None:
    until = time.monotonic() + _SECONDS_AT_EXIT
    for lines in list(_open):
        lines.drain(until)


# A child has no thread that reads. Its lines go through the same pipe to the parent's.
os.register_at_fork(after_in_child=_open.clear)
