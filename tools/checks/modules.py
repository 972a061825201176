# SPDX-License-Identifier: MIT
"""Module walls: who includes whom, and where the operating system may be seen."""

import re

QUOTED = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
ANGLED = re.compile(r"^\s*#\s*include\s+<([^>]+)>", re.M)
DEPENDS = re.compile(r"alloy_module\(\s*(\w+)(.*?)\)", re.S)

# Headers of the operating system, as opposed to the C and C++ standard libraries.
OS_HEADER = re.compile(
    r"^((sys|linux|asm|asm-generic|net|netinet|arpa|gnu|bits)/.*|"
    r"(aio|dirent|dlfcn|elf|err|execinfo|fcntl|fnmatch|ftw|getopt|glob|grp|ifaddrs|"
    r"libgen|link|malloc|mqueue|netdb|poll|pthread|pwd|regex|sched|semaphore|"
    r"signal|spawn|strings|syscall|syslog|termios|ucontext|unistd|utime|wait|wordexp)\.h)$")

OUTSIDE = ("backends/*", "cmd/*", "examples/*", "testing/*", "apps/*")
C_SOURCES = (".h", ".hpp", ".c", ".cc", ".cpp")


def module_table(tree):
    table = {}
    for line in tree.read("tools/modules.txt").splitlines():
        words = line.split("#")[0].split()
        if words:
            table[words[0]] = set(words[1:])
    return table


def sources(tree, *patterns):
    return [f for f in tree.matching(*patterns) if f.endswith(C_SOURCES)]


def is_test(file):
    return "_test" in file.rsplit("/", 1)[-1] or file.endswith("_fuzz.cc")


def check_module_edges(tree):
    """src/ includes along the table in tools/modules.txt; everybody else, include/alloy."""
    table = module_table(tree)
    faults = []
    for file in sources(tree, "src/*"):
        module = file.split("/")[1]
        if module not in table:
            faults.append(f"{file}: module {module} is not in tools/modules.txt")
            continue
        allowed = table[module] | {module, "alloy"}
        if is_test(file):
            allowed.add("tests")
        for header in QUOTED.findall(tree.read(file)):
            if header.split("/")[0] not in allowed or "/" not in header:
                faults.append(f'{file}: {module} may not include "{header}"')
    for file in tree.matching("src/*CMakeLists.txt"):
        for module, rest in DEPENDS.findall(tree.read(file)):
            words = re.split(r"\s+", rest.split("SOURCES")[0].strip())
            for other in words[1:] if words[0] == "DEPENDS" else []:
                if other not in table.get(module, set()):
                    faults.append(f"{file}: {module} may not depend on {other}")
    for file in sources(tree, "include/*", *OUTSIDE):
        for header in QUOTED.findall(tree.read(file)):
            beside = (tree.root / file).parent / header
            if not header.startswith("alloy/") and not (
                    beside.exists() and not file.startswith("include/")):
                faults.append(f'{file}: includes "{header}", which is not of include/alloy')
    return faults


def check_os_headers(tree):
    """Headers of the operating system appear only in src/port (and in tests)."""
    faults = []
    for file in sources(tree, "src/*", "include/*"):
        if file.startswith("src/port/") or is_test(file):
            continue
        for header in ANGLED.findall(tree.read(file)):
            if OS_HEADER.match(header):
                faults.append(f"{file}: <{header}> belongs to src/port")
    return faults
