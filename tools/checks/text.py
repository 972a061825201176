# SPDX-License-Identifier: MIT
"""Rules on the text of the repository's files."""

import re

SOURCE = ("*.h", "*.hpp", "*.c", "*.cc", "*.cpp", "*.go", "*.rs", "*.py", "*.sh", "*.cmake",
          "*.cmake.in", "*.map", "*CMakeLists.txt", "tools/*.txt", "*.toml", "Makefile")
NOT_SOURCE = ("*/vendor/*", "vendor/*", "*/testdata/*")
SPDX = "SPDX-License-Identifier: MIT"

# Written in pieces, so that this file passes its own rule.
MACHINE_PATH = re.compile(r"(?<![\w$}.-])/(?:wo" r"rk|ro" r"ot|tmp/br" r"ief)(?=[/\s'\"`]|$)")
REGISTRY = re.compile(
    r"\b(?:py" r"pi\.org|pythonho" r"sted\.org|crates" r"\.io|proxy\.go" r"lang\.org|"
    r"sum\.go" r"lang\.org|deb\.deb" r"ian\.org|security\.deb" r"ian\.org|"
    r"registry\.npm" r"js\.org|repo1?\.maven\.[a-z.]+)\b")
TARGET = re.compile(r"^([a-z][\w-]*)\s*:(?!=)(.*)$", re.M)


def check_spdx(tree):
    """Every source file names its licence in its first lines."""
    skipped = set(tree.matching(*NOT_SOURCE))
    files = set(tree.matching(*SOURCE))
    files |= {f for f in tree.files if "." not in f.rsplit("/", 1)[-1]
              and tree.read(f).startswith("#!")}
    faults = []
    for file in sorted(files - skipped):
        if SPDX not in "\n".join(tree.read(file).splitlines()[:2]):
            faults.append(f"{file}: no `{SPDX}` in the first two lines")
    return faults or ([] if files else ["no source file found"])


def check_places(tree):
    """No path of one machine and no address of a registry in a tracked file."""
    faults = []
    for file in tree.files:
        if file.endswith("Cargo.lock"):  # cargo writes its registry into it
            continue
        for number, line in enumerate(tree.read(file).splitlines(), 1):
            for pattern, what in ((MACHINE_PATH, "a path of one machine"),
                                  (REGISTRY, "the address of a registry")):
                if match := pattern.search(line):
                    faults.append(f"{file}:{number}: {match[0]!r} is {what}")
    return faults


def check_make_help(tree):
    """Every target of the Makefile says in a `##` comment what it does; make prints these."""
    faults = []
    text = tree.read("Makefile")
    targets = [(name, rest) for name, rest in TARGET.findall(text)]
    for name, rest in targets:
        if "##" not in rest:
            faults.append(f"Makefile: target {name} has no `## what it does`")
    if not faults:
        for command in (("make", "-s"), ("make", "-s", "help")):
            code, output = tree.run(*command)
            for name, _ in targets:
                if code != 0 or not re.search(rf"^\s*(make )?{name}\b", output, re.M):
                    faults.append(f"`{' '.join(command)}` does not tell of {name}")
    return faults or ([] if targets else ["no target found in the Makefile"])
