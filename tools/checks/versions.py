# SPDX-License-Identifier: MIT
"""One version: ALLOY_VERSION in include/alloy/alloy.h. What cannot read it must repeat it."""

import re

SOURCE = "include/alloy/alloy.h"
SEMANTIC = re.compile(r"\d+\.\d+\.\d+")


def source_version(tree):
    found = re.search(r'^#define ALLOY_VERSION "([^"]+)"$', tree.read(SOURCE), re.M)
    return found[1] if found else ""


def repeated(tree):
    """(file, what, version): each place that repeats the version."""
    manifest = re.search(r'^\[workspace\.package\]\nversion = "([^"]+)"',
                         tree.read("Cargo.toml"), re.M)
    yield "Cargo.toml", "workspace.package.version", manifest and manifest[1]
    crate = re.search(r'^name = "arrowalloy"\nversion = "([^"]+)"\n(source = )?',
                      tree.read("Cargo.lock"), re.M)
    yield "Cargo.lock", "arrowalloy", crate and not crate[2] and crate[1]


# {file: the line by which it takes the version from elsewhere}
TAKEN = {
    "CMakeLists.txt": "project(alloy VERSION ${alloy_version}",
    "cmake/alloy.pc.in": "Version: @PROJECT_VERSION@",
    "cmake/crate.toml.in": 'version = "@PROJECT_VERSION@"',
    "pyproject.toml": f'input = "{SOURCE}"',
    "rust/Cargo.toml": "version.workspace = true",
}


def check_version(tree):
    """ALLOY_VERSION is the version of every package, of the changelog, and of a git tag."""
    version = source_version(tree)
    if not SEMANTIC.fullmatch(version):
        return [f"{SOURCE}: ALLOY_VERSION is {version!r}, not three numbers"]
    faults = [f"{file}: {what} is {found}, but ALLOY_VERSION is {version}"
              for file, what, found in repeated(tree) if found != version]
    faults += [f"{file}: the line {line!r}, which takes the version from {SOURCE}, is missing"
               for file, line in TAKEN.items() if line not in tree.read(file)]
    title = re.search(r"^## (.+)$", tree.read("CHANGELOG.md"), re.M)
    if not title or not (title[1] == "Unreleased" or title[1].startswith(version)):
        faults.append(f"CHANGELOG.md: the first section is neither Unreleased nor {version}")
    code, tags = tree.run("git", "tag", "--points-at", "HEAD", "v*")
    faults += [f"git: HEAD has the tag {tag}, but ALLOY_VERSION is {version}"
               for tag in tags.split() if code == 0 and tag != f"v{version}"]
    return faults
