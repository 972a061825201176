# SPDX-License-Identifier: MIT
"""The public headers: an ownership word for each pointer, each alone, twice, as C and C++."""

import concurrent.futures
import hashlib
import os
import re

# The structs of the Arrow C data interface carry Arrow's own contract.
FOREIGN = ("include/alloy/arrow_abi.h",)

COMMENT = re.compile(r"^\s*//+ ?(.*)$")
WORD = re.compile(r"\b(Borrows|Takes|Gives|Shares|Fails|Threads|Copies)\b(?=\s{2,})")
OWNERSHIP = {"Borrows", "Takes", "Gives", "Shares"}
FUNCTION = re.compile(
    r"(?:ALLOY_API|ALLOY_EXPORT)\s+[\w\s*]+?\b(?P<name>\w+)\s*\((?P<params>[^()]*)\)\s*;")
POINTER = re.compile(
    r"^\s*[\w\s*]+?\(\s*\*\s*(?P<name>\w+)\s*\)\s*\((?P<params>[^()]*)\)\s*;")


def declarations(text):
    """(line, name, parameters, comment) of each function and function pointer."""
    lines = text.splitlines()
    comment, found, number = [], [], 0
    while number < len(lines):
        line = lines[number]
        if match := COMMENT.match(line):
            comment.append(match[1])
            number += 1
            continue
        start, statement = number, re.sub(r"//.*", "", line)
        begins = "ALLOY_API " in line or "ALLOY_EXPORT " in line or "(*" in line
        if begins and not line.lstrip().startswith("#"):
            while ";" not in statement and number + 1 < len(lines):
                number += 1
                statement += " " + re.sub(r"//.*", "", lines[number])
            match = FUNCTION.search(statement) or POINTER.search(statement)
            if match:
                found.append((start + 1, match["name"], match["params"], comment))
        comment = []
        number += 1
    return found


def pointer_parameters(params):
    """(name, type) of the parameters that are pointers."""
    found = []
    for param in params.split(","):
        param = " ".join(param.split())
        if "*" in param:
            match = re.match(r"(.*\*)\s*(\w*)$", param)
            found.append((match[2], match[1].replace(" *", "*")))
    return found


def owned_names(comment):
    """{parameter: [words]}, of the lists that begin the ownership lines of a comment."""
    pieces = WORD.split("\n".join(comment))
    names = {}
    for word, text in zip(pieces[1::2], pieces[2::2]):
        if word not in OWNERSHIP:
            continue
        text = re.sub(r"\([^)]*\)?", "", " ".join(text.split()))
        first = re.split(r"[.;:](?:\s|$)", text)[0]
        for item in re.split(r",|\band\b", first):
            words = item.split()
            if words and word not in names.setdefault(words[0], []):
                names[words[0]].append(word)
    return names


def unsaid(name, kind):
    """Whether the rule for what is unsaid covers a parameter: names and err are borrowed,
    out is given, and the context of a callback is the caller's own."""
    return (kind == "const char*" or (name, kind) == ("err", "alloy_error*")
            or (name, kind) == ("context", "void*")
            or ((name == "out" or name.startswith("out_")) and "const" not in kind[-6:]))


def check_ownership_words(tree):
    """Every pointer parameter of the C headers has exactly one ownership word."""
    faults = []
    headers = [h for h in tree.matching("include/alloy/*.h") if h not in FOREIGN]
    count = 0
    for header in headers:
        for line, function, params, comment in declarations(tree.read(header)):
            said = owned_names(comment)
            count += 1
            for name, kind in pointer_parameters(params):
                where = f"{header}:{line}: {function}: {kind} {name or '(no name)'}"
                words = said.get(name, [])
                if len(words) > 1:
                    faults.append(f"{where} has {' and '.join(words)}")
                elif not words and not unsaid(name, kind):
                    faults.append(f"{where} has no ownership word")
                elif words and words[0] != "Gives" and name.startswith("out"):
                    faults.append(f"{where} is an output, but says {words[0]}")
                elif words == ["Gives"] and kind.startswith("const ") and kind.count("*") < 2:
                    faults.append(f"{where} is const, but says Gives")
    if not count:
        faults.append("no function found in include/alloy/*.h")
    return faults


def compilations(tree):
    """(header, label, command): each public header as C++20, and each .h as C11."""
    # Only arrow.hpp needs them; the folder is pyarrow's.
    arrow = [f"-isystem{p}" for p in sorted(
        tree.root.glob(".venv/lib/python3*/site-packages/pyarrow/include"))]
    strict = ["-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-pedantic-errors", "-Iinclude"]
    for header in tree.matching("include/alloy/*.h", "include/alloy/*.hpp"):
        yield header, "C++20", ["g++", "-std=c++20", *strict, *arrow, "-xc++", "-"]
        if header.endswith(".h"):
            yield header, "C11", ["gcc", "-std=c11", *strict, "-xc", "-"]


def check_headers_alone(tree):
    """Every public header compiles alone and twice, as C++20, and the .h as C11 too."""
    def compile_twice(item):
        header, label, command = item
        line = f'#include "{header.removeprefix("include/")}"\n'
        # Twice in one unit: that is alone, and again.
        code, output = tree.run(*command, stdin=line * 2)
        if code == 0:
            return []
        first = next((o for o in output.splitlines() if "error" in o), output[:200])
        return [f"{header} as {label}: {first}"]

    items = list(compilations(tree))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = [fault for found in pool.map(compile_twice, items) for fault in found]
    return faults or ([] if items else ["no public header found"])


def abi_hash(tree):
    digest = hashlib.sha256()
    for header in tree.matching("include/alloy/*.h"):
        digest.update(header.encode() + b"\0" + tree.read(header).encode() + b"\0")
    return digest.hexdigest()


ABI_PAGE = "docs/abi.md"
ABI_LINE = re.compile(r"^headers: sha256 *([0-9a-f]*)$", re.M)


def check_abi_page(tree):
    """docs/abi.md carries the hash of the C headers it describes."""
    if ABI_PAGE not in tree.files:
        return [f"{ABI_PAGE} is missing"]
    found = ABI_LINE.findall(tree.read(ABI_PAGE))
    if len(found) != 1:
        return [f"{ABI_PAGE}: there must be one line `headers: sha256 ...`"]
    if found[0] != abi_hash(tree):
        return [f"{ABI_PAGE}: the C headers have changed. Bring the page up to date, then "
                "run tools/check --update-abi-hash"]
    return []


def update_abi_page(tree):
    text = ABI_LINE.sub(f"headers: sha256 {abi_hash(tree)}", tree.read(ABI_PAGE))
    (tree.root / ABI_PAGE).write_text(text, encoding="utf-8")
