# SPDX-License-Identifier: MIT
"""What the built libraries export."""

ENGINE = "build/lib/liballoy.so"
BACKENDS = "build/backends"


def exported(tree, library):
    """The names that a library exports, or None and the message of nm."""
    code, output = tree.run("nm", "-D", "--defined-only", str(library))
    if code != 0:
        return None, output.strip()
    # name, or name@@VERSION; the versions themselves are listed as absolute symbols.
    rows = [line.split() for line in output.splitlines()]
    return [row[-1].split("@")[0] for row in rows if row[-2:-1] != ["A"]], ""


def check_engine_exports(tree):
    """liballoy exports alloy_* and nothing else."""
    names, message = exported(tree, tree.root / ENGINE)
    if names is None:
        return [f"{ENGINE}: {message or 'missing'}"]
    faults = [f"{ENGINE} exports {n}" for n in names if not n.startswith("alloy_")]
    return faults or ([] if names else [f"{ENGINE} exports nothing"])


def check_backend_exports(tree):
    """Each backend exports alloy_backend_init and nothing else."""
    libraries = sorted((tree.root / BACKENDS).glob("*.so"))
    faults = [] if libraries else [f"no backend in {BACKENDS}: run make build-all"]
    for library in libraries:
        names, message = exported(tree, library)
        if names != ["alloy_backend_init"]:
            faults.append(f"{library.name} exports {message or ', '.join(names) or 'nothing'}")
    return faults
