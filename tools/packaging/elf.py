# SPDX-License-Identifier: MIT
"""What a program or library needs of the system that loads it, as readelf shows it."""

import dataclasses
import re
import subprocess
import tempfile


@dataclasses.dataclass(frozen=True)
class Elf:
    machine: str  # x86_64, aarch64
    needed: tuple  # libc.so.6, ...
    versions: tuple  # (("GLIBC", (2, 34)), ...), the newest of each name
    compilers: tuple  # GCC: (Debian 12.2.0-14+deb12u1) 12.2.0
    static_libstdcxx: bool


MACHINES = {"Advanced Micro Devices X86-64": "x86_64", "AArch64": "aarch64"}


def is_elf(data):
    return data[:4] == b"\x7fELF"


def read(data):
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        text = subprocess.run(["readelf", "-W", "-h", "-d", "-V", "-p", ".comment", file.name],
                              check=True, capture_output=True, text=True,
                              env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout
    needed = tuple(sorted(re.findall(r"\(NEEDED\).*\[(.+)\]", text)))
    newest = {}
    for name, number in re.findall(r"Name: (\w+?)_([0-9.]+)\b", text):
        version = tuple(int(part) for part in number.split("."))
        newest[name] = max(newest.get(name, ()), version)
    machine = re.search(r"Machine:\s+(.+)", text)[1]
    return Elf(MACHINES.get(machine, machine), needed, tuple(sorted(newest.items())),
               tuple(sorted(set(re.findall(r"(GCC: .+)", text)))),
               # The name of the type std::exception, which its own library defines.
               "libstdc++.so.6" not in needed and b"St9exception\0" in data)
