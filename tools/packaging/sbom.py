#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write the parts of packages, as CycloneDX 1.6.

    tools/packaging/sbom.py FILE...    writes FILE.cdx.json for each

Nothing is typed in: what a program needs comes from its ELF headers and from the fields of
its package, crates from Cargo.lock, and headers from the build's own list of what it read.
"""

import datetime
import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tomllib
import uuid
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import elf  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def run(*command):
    return subprocess.run([str(c) for c in command], cwd=ROOT, check=True, text=True,
                          capture_output=True).stdout


def component(kind, name, version="", **more):
    made = {"type": kind, "bom-ref": f"{name}@{version}" if version else name, "name": name}
    if version:
        made["version"] = version
    return {**made, **more}


def compiler_version(text):
    """`GCC: (Debian 12.2.0-14+deb12u1) 12.2.0` is 12.2.0-14+deb12u1 of Debian."""
    return (re.search(r"\(\w+ ([^)]+)\)", text) or re.search(r"([0-9.]+)$", text))[1]


def parts_of_programs(programs):
    """What compiled the programs, what is linked into them, and what they load."""
    found = [elf.read(data) for data in programs]
    compilers = sorted({c for program in found for c in program.compilers})
    parts = []
    for compiler in compilers:
        if any(program.static_libstdcxx for program in found):
            parts.append(component(
                "library", "libstdc++", compiler_version(compiler), description="linked statically",
                licenses=[{"expression": "GPL-3.0-or-later WITH GCC-exception-3.1"}]))
    parts += [component("library", name, scope="required", description="loaded from the system")
              for name in sorted({n for program in found for n in program.needed})]
    tools = [component("application", "gcc", compiler_version(c)) for c in compilers]
    return parts, tools


def headers(build):
    """Packages of the distribution whose headers a build read: parts of them are compiled in."""
    listed = run("ninja", "-C", build, "-t", "deps")
    files = sorted({line.strip() for line in listed.splitlines()
                    if line.startswith("    /usr/include/")})
    if not files:
        return []
    owned = subprocess.run(["dpkg", "-S", *files], text=True, capture_output=True).stdout
    packages = sorted({name.split(":")[0] for line in owned.splitlines() if ": " in line
                       for name in line.split(": ")[0].split(", ")})
    versions = run("dpkg-query", "-W", "-f", "${Package}\t${Version}\n", *packages)
    return [component("library", name, version, scope="required", description="headers compiled in",
                      purl=f"pkg:deb/debian/{name}@{version}")
            for name, version in (line.split("\t") for line in sorted(set(versions.splitlines())))]


def of_wheel(path, build=None):
    with zipfile.ZipFile(path) as archive:
        programs = [data for name in sorted(archive.namelist())
                    if elf.is_elf(data := archive.read(name))]
    parts, tools = parts_of_programs(programs)
    return "arrowalloy", "pkg:pypi/arrowalloy", parts + headers(
        build or ROOT / "build/python/cmake"), tools


def of_deb(path, build=None):
    name = path.name.split("_")[0]
    data = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], check=True,
                          capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        contents = [archive.extractfile(m).read() for m in archive if m.isfile()]
    parts, tools = parts_of_programs([c for c in contents if elf.is_elf(c)])
    depends = run("dpkg-deb", "-f", path, "Depends").strip()
    parts += [component("library", re.match(r"[^ ]+", field)[0], scope="required",
                        description=f"package that it depends on: {field}")
              for field in depends.split(", ")]
    if tools:
        parts += headers(build or ROOT / "build/deb")
    return name, f"pkg:deb/debian/{name}", parts, tools


def of_crate(path, build=None):
    packages = {p["name"]: p for p in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]}
    manifest = tomllib.loads((ROOT / "rust/Cargo.toml").read_text())
    wanted = [*manifest.get("dependencies", {}), *manifest.get("build-dependencies", {})]
    parts, seen = [], set()
    while wanted:
        name = wanted.pop().split(" ")[0]
        if name in seen:
            continue
        seen.add(name)
        package = packages[name]
        wanted += package.get("dependencies", [])
        parts.append(component(
            "library", name, package["version"], scope="optional",
            description="for the feature host, while it is built",
            purl=f"pkg:cargo/{name}@{package['version']}",
            hashes=[{"alg": "SHA-256", "content": package["checksum"]}]))
    return "arrowalloy", "pkg:cargo/arrowalloy", sorted(parts, key=lambda p: p["name"]), []


def of_sdist(path, build=None):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    tools = [component("application", *requirement.split("=="))
             for requirement in project["build-system"]["requires"]]
    return "arrowalloy", "pkg:pypi/arrowalloy", [], tools


KINDS = {".whl": of_wheel, ".deb": of_deb, ".crate": of_crate, ".gz": of_sdist}


def document(path, hashed=True, build=None):
    """The parts of one file; without its own digest for what goes into the file itself.

    `build` is the build folder of its programs; None: that of the tool that makes such files.
    """
    name, purl, parts, tools = KINDS[path.suffix](path, build)
    version = run("tools/version").strip()
    commit = run("git", "rev-parse", "HEAD").strip()
    epoch = int(run("tools/version", "--epoch"))
    subject = component("library", name, version, purl=f"{purl}@{version}",
                        licenses=[{"license": {"id": "MIT"}}],
                        properties=[{"name": "git:commit", "value": commit}])
    if hashed:
        subject["hashes"] = [{"alg": "SHA-256",
                              "content": hashlib.sha256(path.read_bytes()).hexdigest()}]
    unique = {part["bom-ref"]: part for part in reversed(parts)}
    made = {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {
            "timestamp": datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc)
            .strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": {"components": tools}, "component": subject},
        "components": sorted(unique.values(), key=lambda part: part["bom-ref"]),
        "dependencies": [{"ref": subject["bom-ref"], "dependsOn": sorted(unique)}],
    }
    # A name of the content, so that the same content has the same number.
    made["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(made))}"
    return json.dumps(made, indent=1, sort_keys=True) + "\n"


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for name in sys.argv[1:]:
        path = pathlib.Path(name).resolve()
        pathlib.Path(f"{path}.cdx.json").write_text(document(path))


if __name__ == "__main__":
    main()
