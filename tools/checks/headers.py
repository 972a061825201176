# SPDX-License-Identifier: MIT
"""Headers: an ownership word for each pointer, tables in their columns, each header alone."""

import concurrent.futures
import os
import re

# The structs of the Arrow C data interface carry Arrow's own contract.
FOREIGN = ("include/alloy/arrow_abi.h",)

GENERATED = "// Written by tools/amalgamate"

BEGINS = ("ALLOY_API ", "ALLOY_EXPORT ", "static inline ", "(*")
COMMENT = re.compile(r"^\s*//+ ?(.*)$")
WORD = re.compile(r"\b(Borrows|Takes|Gives|Shares|Fails|Threads|Copies)\b(?=\s{2,})")
OWNERSHIP = {"Borrows", "Takes", "Gives", "Shares"}
FUNCTION = re.compile(
    r"(?:ALLOY_API|ALLOY_EXPORT|static inline)\s+[\w\s*]+?\b(?P<name>\w+)\s*"
    r"\((?P<params>[^()]*)\)\s*[;{]")
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
        begins = any(word in line for word in BEGINS)
        if begins and not line.lstrip().startswith("#"):
            while not re.search("[;{]", statement) and number + 1 < len(lines):
                number += 1
                statement += " " + re.sub(r"//.*", "", lines[number])
            match = FUNCTION.search(statement) or POINTER.search(statement)
            if match and not match["name"].endswith("_"):  # those are private
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


# A row of an ownership table: `//   Borrows  text`, and more text below its first letter.
ROW = re.compile(r"( *)(Borrows|Shares|Takes|Gives|Fails)( {2,})(?=\S)")
ORDER = ("Borrows", "Shares", "Takes", "Gives", "Fails")
LABEL_COLUMN = 3
# In the public C headers all text begins in one column, behind the longest label.
TEXT_COLUMN = 12
PUBLIC = "include/alloy/"
# A line of a header's opening: `// Threads  text`.
NOTE = re.compile(r" (Threads|Copies|Results)( {2,})(?=\S)")
# Below Fails, a code has a column of its own for its text.
CODE = re.compile(r" *[A-Z][A-Z_]+( {2,})(?=\S)")
INSIDE = re.compile(r"\S\s+(?:Borrows|Shares|Takes|Gives|Fails|ALLOY_[A-Z_]+) {2,}\S")


def comment_blocks(text):
    """(number of the first line, [what follows `//`]) of each run of comment lines."""
    block, start = [], 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        match = re.match(r"\s*//(.*)$", line)
        if match:
            start = start or number
            block.append(match[1])
        elif block:
            yield start, block
            block, start = [], 0


def shape_of_table(block, public):
    """(index, fault) of each line of a comment that breaks the shape of its table."""
    column, inner, last = None, None, None  # of the text, of a code's text, the label
    for index, line in enumerate(block):
        indent = len(line) - len(line.lstrip())
        if not line.strip():
            column, inner, last = None, None, None
        elif row := ROW.match(line):
            column, inner = row.end(), None
            if indent != LABEL_COLUMN:
                yield index, f"{row[2]} is in column {indent}, not {LABEL_COLUMN}"
            if public and column != TEXT_COLUMN:
                yield index, f"the text of {row[2]} is in column {column}, not {TEXT_COLUMN}"
            if last and ORDER.index(row[2]) <= ORDER.index(last):
                yield index, f"{row[2]} comes after {last}"
            last = row[2]
            code = CODE.match(line[column:])
            inner = column + code.end() if last == "Fails" and code else None
            line = line[column + code.end():] if inner else line[column:]
        elif note := NOTE.match(line):
            column, inner, last = note.end(), None, None
        elif column and indent > 1 or last is None and column:
            code = last == "Fails" and indent == column and CODE.match(line)
            if code:
                inner = code.end()
                line = line[inner:]
            elif indent != inner and (indent != column or inner and line.lstrip()[0].islower()):
                yield index, "the line does not continue the row above it"
        else:
            column, inner, last = None, None, None
        if INSIDE.search(line):
            yield index, "a row begins inside a line"


def table_faults(tree):
    for header in tree.matching("*.h", "*.hpp"):
        text = tree.read(header)
        if GENERATED in text[:1000]:
            continue
        public = header.startswith(PUBLIC) and header.endswith(".h")
        for start, block in comment_blocks(text):
            for index, fault in shape_of_table(block, public):
                yield f"{header}:{start + index}: {fault}"


def check_ownership_words(tree):
    """Every pointer of the C ABI has one ownership word; tables keep their columns."""
    faults = list(table_faults(tree))
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
