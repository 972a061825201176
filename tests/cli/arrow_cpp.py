# SPDX-License-Identifier: MIT
"""The one backend of the project that needs shared libraries, and which files they are."""

import pathlib

import pyarrow

from support import BUILD

NEEDS_ARROW = BUILD / "backends/titles_cpp.so"
_FOLDER = pathlib.Path(pyarrow.get_library_dirs()[0])
# In the order in which they are loaded: the second needs the first.
NEEDED = [next(_FOLDER.glob(f"lib{name}.so.*")) for name in ("arrow", "arrow_compute")]
MAY_NEED = [word for file in NEEDED for word in ("--may-need", file)]
