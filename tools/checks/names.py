# SPDX-License-Identifier: MIT
"""Names of files. `go get` refuses a whole module for one name that some system cannot have."""

import re

# module.CheckFilePath of golang.org/x/mod.
ALLOWED = re.compile(r"[\w !#$%&()+,\-.=@\[\]^{}~]+")
RESERVED = re.compile(r"(con|prn|aux|nul|com[1-9]|lpt[1-9])(\..*)?", re.I)


def check_file_names(tree):
    """Each name is allowed in a Go module: no name of a device, and not one name in two cases."""
    faults, seen = [], {}
    for file in tree.files:
        for part in file.split("/"):
            if RESERVED.fullmatch(part):
                faults.append(f"{file}: Windows reserves the name {part}")
            elif not ALLOWED.fullmatch(part) or part.endswith("."):
                faults.append(f"{file}: a Go module cannot have the name {part!r}")
        other = seen.setdefault(file.lower(), file)
        if other != file:
            faults.append(f"{file}: {other} differs only in case")
    return faults
