# SPDX-License-Identifier: MIT
"""Formatters and linters. Those for C and C++ are pinned, in .venv."""

import concurrent.futures
import hashlib
import json
import os
import re
import shlex

from .modules import is_test
from .tree import faults_of_run

C_FILES = ("*.h", "*.hpp", "*.c", "*.cc", "*.cpp")
GENERATED = re.compile(r"^// Written by tools/amalgamate\b", re.M)
# {folder with a compile_commands.json: the folders of sources that are its own}. The second
# belongs to the build of the wheel.
COMPILED_IN = {
    "build": ("src/", "include/", "backends/", "examples/", "cmd/", "bench/"),
    "build/python/cmake": ("python/src/",),
}
TIDY_CACHE = "build/tidy-cache"


def written_by_hand(tree, *patterns):
    return [f for f in tree.matching(*patterns)
            if not GENERATED.search(tree.read(f)[:1000])]


def check_clang_format(tree):
    """C and C++ have the format of .clang-format."""
    files = written_by_hand(tree, *C_FILES)
    if not files:
        return ["no C or C++ file found"]
    code, output = tree.run(tree.program("clang-format"), "--dry-run", "-Werror", *files)
    names = sorted({m[1] for m in re.finditer(r"^(\S+?):\d+:\d+: error", output, re.M)})
    return [f"{n}: not formatted" for n in names] or faults_of_run(code, output)


def quoted_includes(tree, file, seen):
    """The project's own files that a file includes, itself first, each once."""
    if file in seen:
        return
    seen[file] = None
    for header in re.findall(r'^\s*#\s*include\s+["<]([^">]+)[">]', tree.read(file), re.M):
        for folder in ("src", "include", ".", os.path.dirname(file)):
            path = os.path.normpath(os.path.join(folder, header))
            if (tree.root / path).is_file():
                quoted_includes(tree, path, seen)
                break


def tidy_key(tree, file, command, version):
    """A key of everything that decides the verdict on a file, except the headers of others."""
    seen = {}
    quoted_includes(tree, file, seen)
    digest = hashlib.sha256(f"{version}\0{command}\0{tree.read('.clang-tidy')}".encode())
    for name in seen:
        digest.update(f"\0{name}\0{tree.read(name)}".encode())
    return digest.hexdigest()


def compiled_files(tree):
    """{file: (folder, command)} of what was compiled, without tests: GoogleTest's macros are
    slow to lint, and the compilers' own warnings cover tests."""
    found = {}
    for folder, own in COMPILED_IN.items():
        for entry in json.loads(tree.read(f"{folder}/compile_commands.json")):
            path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), tree.root)
            if (path.startswith(own) and path in tree.files
                    and not is_test(path) and "/testdata/" not in path):
                found[path] = folder, " ".join(
                    a for a in shlex.split(entry["command"])
                    if a.startswith(("-D", "-I", "-isystem", "-std")))
    return found


def check_clang_tidy(tree):
    """clang-tidy finds nothing, by the rules in .clang-tidy."""
    missing = [f"{folder}/compile_commands.json is missing: run make build-all wheel"
               for folder in COMPILED_IN
               if not (tree.root / folder / "compile_commands.json").exists()]
    if missing:
        return missing
    tidy = tree.program("clang-tidy")
    code, version = tree.run(tidy, "--version")
    if code != 0:
        return [version]
    cache = tree.root / TIDY_CACHE
    cache.mkdir(parents=True, exist_ok=True)

    def lint(item):
        file, (folder, command) = item
        key = cache / tidy_key(tree, file, command, version)
        if key.exists():
            return []
        code, output = tree.run(
            tidy, "--quiet", "-p", folder, "--warnings-as-errors=*",
            "--extra-arg=-Wno-unknown-warning-option",
            "--extra-arg=-Wno-deprecated-declarations", file)
        if code == 0:
            key.touch()
            return []
        faults = re.findall(r"^.*: (?:error|warning): .*$", output, re.M) or [output[-300:]]
        return [fault.replace(f"{tree.root}/", "") for fault in faults]

    files = compiled_files(tree)
    for folder in COMPILED_IN:
        if folder not in {where for where, _ in files.values()}:
            return [f"no file of ours in {folder}/compile_commands.json"]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [fault for faults in pool.map(lint, sorted(files.items())) for fault in faults]
    return list(dict.fromkeys(found))


def check_gofmt(tree):
    """Go is formatted as gofmt does."""
    files = tree.matching("*.go")
    if not files:
        return ["no Go file found"]
    # The gofmt of this go: not every installation puts both on the PATH.
    code, root = tree.run(tree.program("go"), "env", "GOROOT")
    if code != 0:
        return faults_of_run(code, root)
    gofmt = os.path.join(root.split()[-1], "bin", "gofmt")
    code, output = tree.run(gofmt, "-l", *files)
    return faults_of_run(code, output) or [f"{f}: not formatted" for f in output.split()]


def check_go_vet(tree):
    """go vet finds nothing, in any Go module of the repository."""
    return [fault for module in tree.matching("go.mod", "*/go.mod")
            for fault in faults_of_run(*tree.run(
                tree.program("go"), "vet", "-C", os.path.dirname(module) or ".", "./..."))]


# Nothing is linked here, so the engine need not be compiled.
CARGO_ENV = {"ALLOY_LIB_DIR": "build/lib", "CARGO_TARGET_DIR": "build/cargo",
             "CARGO_TERM_COLOR": "never"}


def check_rustfmt(tree):
    """Rust is formatted as rustfmt does."""
    code, output = tree.run(tree.program("cargo"), "fmt", "--all", "--check", env=CARGO_ENV)
    names = sorted(set(re.findall(r"^Diff in (\S+?):\d+", output, re.M)))
    return [f"{os.path.relpath(n, tree.root)}: not formatted" for n in names] or \
        faults_of_run(code, output)


def check_clippy(tree):
    """clippy finds nothing."""
    return faults_of_run(*tree.run(
        tree.program("cargo"), "clippy", "--quiet", "--locked", "--workspace", "--all-targets",
        "--", "-D", "warnings", env=CARGO_ENV))


def check_amalgamation(tree):
    """The engine inside the Go module is the one in src/."""
    return faults_of_run(*tree.run(str(tree.root / "tools/amalgamate"), "--check"))
