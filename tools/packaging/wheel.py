#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Finish a wheel: its platform tag, its list of parts, and the same bytes every time.

    tools/packaging/wheel.py WHEEL FOLDER [--build BUILD]

writes FOLDER/arrowalloy-...-manylinux_2_34_....whl. BUILD is the build folder of its programs,
if it is another than that of tools/wheel.

A tag manylinux_2_34 is a promise about every program inside, so this reads what they need. It
fails if one of them needs a newer glibc, or a library that not every Linux has.
"""

import base64
import hashlib
import pathlib
import sys
import time
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import elf  # noqa: E402
import sbom  # noqa: E402

TAG = "manylinux_2_34"
NEWEST = {"GLIBC": (2, 34), "GCC": (11,)}
# glibc and libgcc: all that the tag allows and Alloy uses. libstdc++ is linked statically.
LIBRARIES = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "libgcc_s.so.1",
             "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def faults(name, program):
    """Why the tag would be wrong for this program."""
    found = [f"{name} needs {library}, which {TAG} does not promise"
             for library in program.needed if library not in LIBRARIES]
    for of, version in program.versions:
        if of not in NEWEST or version > NEWEST[of]:
            found.append(f"{name} needs {of}_{'.'.join(map(str, version))}, newer than {TAG}")
    return found


def platform(contents):
    programs = {name: elf.read(data) for name, data in contents.items() if elf.is_elf(data)}
    found = [fault for name, program in programs.items() for fault in faults(name, program)]
    machines = {program.machine for program in programs.values()}
    if len(machines) != 1:
        found.append(f"programs for {sorted(machines)}, but a wheel is for one machine")
    if found:
        sys.exit("\n".join(["this wheel cannot have its tag:", *found]))
    return f"{TAG}_{machines.pop()}"


def record(contents, place):
    rows = []
    for name, data in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(data)}")
    return "\n".join([*rows, f"{place},,"]) + "\n"


def finish(source, folder, build):
    with zipfile.ZipFile(source) as archive:
        modes = {i.filename: i.external_attr >> 16 for i in archive.infolist() if not i.is_dir()}
        contents = {name: archive.read(name) for name in modes}
    info = next(n.split("/")[0] for n in contents if n.endswith(".dist-info/WHEEL"))
    name, version, python, abi, old = source.stem.split("-")
    new = platform(contents)
    contents[f"{info}/WHEEL"] = contents[f"{info}/WHEEL"].replace(old.encode(), new.encode())
    contents[f"{info}/sboms/{name}.cdx.json"] = sbom.document(
        source, hashed=False, build=build).encode()
    place = f"{info}/RECORD"
    del contents[place]
    # The archive ends with what describes it, as PEP 427 recommends.
    contents = dict(sorted(contents.items(), key=lambda c: (c[0].startswith(info), c[0])))
    contents[place] = record(contents, place).encode()

    moment = time.gmtime(int(sbom.run("tools/version", "--epoch")))[:6]
    made = folder / f"{name}-{version}-{python}-{abi}-{new}.whl"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file, data in contents.items():
            entry = zipfile.ZipInfo(file, moment)
            mode = 0o755 if modes.get(file, 0) & 0o100 else 0o644
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return made


def main():
    if len(sys.argv) not in (3, 5) or sys.argv[3:4] not in ([], ["--build"]):
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[4]) if len(sys.argv) == 5 else None
    made = finish(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]), build)
    print(f"{made}  {made.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
