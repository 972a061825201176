# SPDX-License-Identifier: MIT
"""Module walls: who includes whom, and where the operating system may be seen."""

import dataclasses
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

OUTSIDE = ("backends/*", "cmd/*", "examples/*", "testing/*", "bench/*")
C_SOURCES = (".h", ".hpp", ".c", ".cc", ".cpp")


TABLE = "tools/modules.txt"
PAGE = "ARCHITECTURE.md"
ROW = re.compile(r"^(?P<name>[\w./]+)(?P<uses>[^#]*)(?:#\s*(?P<holds>.*))?$")


@dataclasses.dataclass
class Row:
    """A module of src/ or a file outside of it, and the modules that it may include."""
    name: str
    uses: list  # as written: "+" before a module whose headers its own headers may show
    holds: str

    @property
    def modules(self):
        return {use.lstrip("+") for use in self.uses}

    @property
    def shown(self):
        return {use[1:] for use in self.uses if use.startswith("+")}


def table_of(tree):
    """{name: Row} of tools/modules.txt."""
    table = {}
    for line in tree.read(TABLE).splitlines():
        if line.strip() and not line.startswith("#"):
            row = ROW.match(line)
            table[row["name"]] = Row(row["name"], row["uses"].split(), row["holds"] or "")
    return table


def sources(tree, *patterns):
    return [f for f in tree.matching(*patterns) if f.endswith(C_SOURCES)]


def is_test(file):
    return "_test" in file.rsplit("/", 1)[-1] or file.endswith("_fuzz.cc")


def chains(tree, table, file, module, seen):
    """Chains of headers by which a file of a module reaches a module that is hidden from
    it: not in its own row, and not shown by the module in between."""
    for header in QUOTED.findall(tree.read(file)):
        path, other = f"src/{header}", header.split("/")[0]
        if not (tree.root / path).is_file() or path in seen:
            continue
        seen.add(path)
        between = file.split("/")[1] if file.startswith("src/") else file
        visible = table[module].modules | {module, between}
        if between != module:
            visible |= table[between].shown
        if other not in visible:
            yield [header]
            continue
        for chain in chains(tree, table, path, module, seen):
            yield [header, *chain]


def edge_faults(tree, table, file, module):
    """The includes of a file, direct or through headers of its neighbours, that break the
    table: nothing reaches past a neighbour that does not show what it uses."""
    return [f"{file}: {module} may not include {' -> '.join(chain)}"
            for chain in chains(tree, table, file, module, set())]


def foreign_includes(tree, file, allowed):
    """Quoted includes that are not of include/alloy, of src/ or next to the file."""
    for header in QUOTED.findall(tree.read(file)):
        beside = (tree.root / file).parent / header
        known = header.startswith(("alloy/", *(f"{module}/" for module in allowed)))
        if not known and not (beside.exists() and not file.startswith("include/")):
            yield f'{file}: may not include "{header}"'


def check_module_edges(tree):
    """Includes follow tools/modules.txt; whatever is outside src/ sees include/alloy only."""
    table = table_of(tree)
    faults = []
    for file in sources(tree, "src/*"):
        module = file.split("/")[1]
        if module not in table:
            faults.append(f"{file}: module {module} is not in {TABLE}")
            continue
        faults += edge_faults(tree, table, file, module)
        tests = {"tests", "testing"} if is_test(file) else set()
        faults += foreign_includes(tree, file, table[module].modules | {module} | tests)
    for file in tree.matching("src/*CMakeLists.txt"):
        for module, rest in DEPENDS.findall(tree.read(file)):
            words = re.split(r"\s+", rest.split("SOURCES")[0].strip())
            for other in words[1:] if words[0] == "DEPENDS" else []:
                if other not in table[module].modules:
                    faults.append(f"{file}: {module} may not depend on {other}")
    for file in sources(tree, "include/*", *OUTSIDE):
        row = table.setdefault(file, Row(file, [], ""))
        faults += edge_faults(tree, table, file, file)
        own = {"bench", "tests"} if file.startswith("bench/") else set()
        faults += foreign_includes(tree, file, row.modules | own)
    return faults


def check_module_page(tree):
    """ARCHITECTURE.md shows the rows of tools/modules.txt."""
    wanted = "".join(f"| `{row.name}` | {' '.join(row.uses) or 'std'} | {row.holds} |\n"
                     for row in table_of(tree).values())
    if wanted in tree.read(PAGE):
        return []
    return [f"{PAGE}: the table of modules must be", *wanted.splitlines()]


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
