# SPDX-License-Identifier: MIT
"""The wheel that tools/wheel built: what is in it, its tag, and its use without a compiler."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools/packaging"))
import elf  # noqa: E402
import wheel  # noqa: E402

# What the engine, the worker program and a libstdc++ in each of them take.
LIMIT = 750_000


class WheelTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        made = list((ROOT / "dist").glob("arrowalloy-*.whl"))
        assert len(made) == 1, f"run tools/wheel first: {made}"
        cls.path = made[0]
        header = (ROOT / "include/alloy/alloy.h").read_text()
        cls.version = re.search(r'^#define ALLOY_VERSION "([^"]+)"$', header, re.M)[1]
        cls.info = f"arrowalloy-{cls.version}.dist-info"
        with zipfile.ZipFile(cls.path) as archive:
            cls.contents = {i.filename: archive.read(i) for i in archive.infolist()}

    def test_name_version_and_tag_agree(self):
        machine = os.uname().machine
        tag = f"cp311-abi3-manylinux_2_34_{machine}"
        self.assertEqual(self.path.name, f"arrowalloy-{self.version}-{tag}.whl")
        self.assertIn(f"Tag: {tag}\n", self.contents[f"{self.info}/WHEEL"].decode())
        self.assertIn(f"\nVersion: {self.version}\n",
                      self.contents[f"{self.info}/METADATA"].decode())

    def test_programs_need_nothing_newer_than_the_tag(self):
        programs = {n: elf.read(d) for n, d in self.contents.items() if elf.is_elf(d)}
        self.assertEqual(sorted(programs), ["alloy/_alloy.abi3.so", "alloy/alloy-worker"])
        for name, program in programs.items():
            self.assertEqual(wheel.faults(name, program), [])
            self.assertTrue(program.static_libstdcxx, name)

    def test_a_newer_glibc_or_another_library_is_a_fault(self):
        program = elf.Elf("x86_64", ("libc.so.6", "libstdc++.so.6"),
                          (("GLIBC", (2, 36)), ("GLIBCXX", (3, 4, 30))), (), False)
        self.assertEqual(wheel.faults("x", program), [
            "x needs libstdc++.so.6, which manylinux_2_34 does not promise",
            "x needs GLIBC_2.36, newer than manylinux_2_34",
            "x needs GLIBCXX_3.4.30, newer than manylinux_2_34"])

    def test_size_and_files(self):
        self.assertLess(self.path.stat().st_size, LIMIT)
        for name in ("alloy/py.typed", "alloy/_alloy.pyi", "alloy/__init__.py",
                     f"{self.info}/licenses/LICENSE"):
            self.assertIn(name, self.contents)
        outside = [n for n in self.contents if not n.startswith(("alloy/", f"{self.info}/"))]
        self.assertEqual(outside, [])
        for name, data in self.contents.items():
            self.assertNotIn(str(ROOT).encode(), data, name)

    def test_it_lists_its_parts(self):
        parts = json.loads(self.contents[f"{self.info}/sboms/arrowalloy.cdx.json"])
        self.assertEqual(parts["bomFormat"], "CycloneDX")
        self.assertEqual(parts["metadata"]["component"]["version"], self.version)
        static = [c["name"] for c in parts["components"]
                  if c.get("description") == "linked statically"]
        self.assertEqual(static, ["libstdc++"])
        names = {c["name"] for c in parts["components"]}
        self.assertLessEqual({"libc.so.6", "libgcc_s.so.1"}, names)

    def test_it_installs_in_a_bare_venv_without_a_compiler(self):
        with tempfile.TemporaryDirectory() as folder:
            venv = pathlib.Path(folder) / "venv"
            subprocess.run(["/usr/bin/python3", "-m", "venv", venv], check=True)
            bare = {"PATH": "/nonexistent", "HOME": folder}
            run = {"env": bare, "cwd": folder, "text": True, "stdout": subprocess.PIPE,
                   "stderr": subprocess.STDOUT}
            done = subprocess.run([venv / "bin/python", "-m", "pip", "install", "-q",
                                   "--no-index", "--no-deps", self.path], **run)
            self.assertEqual(done.returncode, 0, done.stdout)
            program = ("import alloy, os; b = alloy.Bridge(); print(alloy.version); "
                       "print(os.access(os.path.join(os.path.dirname(alloy.__file__), "
                       "'alloy-worker'), os.X_OK)); print(b.from_chunks([]))")
            done = subprocess.run([venv / "bin/python", "-c", program], **run)
            self.assertEqual(done.returncode, 0, done.stdout)
            lines = [line for line in done.stdout.splitlines() if not line.startswith("[")]
            self.assertEqual(lines, [self.version, "True", "0"])
            began = time.monotonic()
            done = subprocess.run([venv / "bin/python", "-m", "alloy"], **run)
            self.assertLess(time.monotonic() - began, 10)
            labels = re.findall(r"\] \[(Python|C\+\+)\]\t", done.stdout)
            self.assertEqual(labels, 4 * ["Python"] + 4 * ["C++"] + 2 * ["Python"], done.stdout)
            done = subprocess.run([venv / "bin/python", "-m", "alloy", "doctor"], **run)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn(f"worker program: {venv}", done.stdout)
