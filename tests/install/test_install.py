# SPDX-License-Identifier: MIT
"""Other projects find an installed Alloy by CMake and by pkg-config, also after a move."""

import ctypes
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("ALLOY_BUILD", ROOT / "build"))
CONSUMER = ROOT / "tests/install/consumer"
EXPECTED = ["counted 0", "function score"]


def run(*command, **more):
    done = subprocess.run([str(c) for c in command], text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


class InstallTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.here = pathlib.Path(cls.folder.name)
        run("cmake", "--install", BUILD, "--prefix", cls.here / "installed")
        # Nothing in it may remember the place it was installed to.
        cls.prefix = cls.here / "moved"
        shutil.move(cls.here / "installed", cls.prefix)
        cls.built = cls.here / "built"
        run("cmake", "-S", CONSUMER, "-B", cls.built, "-G", "Ninja",
            f"-DCMAKE_PREFIX_PATH={cls.prefix}")
        run("cmake", "--build", cls.built)

    def lines(self, host, **environment):
        output = run(host, self.built / "score.so", env={**os.environ, **environment})
        return [line for line in output.splitlines() if not line.startswith("[")]

    def test_cmake_project_calls_the_engine(self):
        self.assertEqual(self.lines(self.built / "host"), EXPECTED)

    def test_backend_exports_one_symbol(self):
        names = [line.split()[-1] for line in
                 run("nm", "-D", "--defined-only", self.built / "score.so").splitlines()]
        self.assertEqual(names, ["alloy_backend_init"])

    def test_pkg_config_builds_a_host(self):
        pkgconfig = next(self.prefix.glob("lib*/**/pkgconfig"))
        library = pkgconfig.parent
        environment = {**os.environ, "PKG_CONFIG_PATH": str(pkgconfig)}
        flags = run("pkg-config", "--cflags", "--libs", "alloy", env=environment).split()
        self.assertNotIn(str(ROOT), " ".join(flags))
        host = self.here / "pkg_host"
        run("gcc", "-std=c11", "-Wall", "-Werror", CONSUMER / "host.c", "-o", host, *flags)
        self.assertEqual(self.lines(host, LD_LIBRARY_PATH=str(library)), EXPECTED)

    def configure_arrow(self, python):
        return ("cmake", "-S", ROOT / "tests/install/arrow_consumer", "-B",
                self.here / f"arrow_{python.name}", "-G", "Ninja",
                f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DALLOY_PYTHON={python}",
                "-DCMAKE_DISABLE_FIND_PACKAGE_Arrow=ON")

    def test_the_component_arrow_finds_arrow_inside_pyarrow(self):
        python = pathlib.Path(sys.executable)
        run(*self.configure_arrow(python))
        built = self.here / f"arrow_{python.name}"
        run("cmake", "--build", built)
        self.assertEqual(run(built / "chunks"), "counted 1\n")

    def test_the_component_arrow_is_not_found_without_arrow(self):
        with self.assertRaisesRegex(AssertionError, "neither as a package nor inside"):
            run(*self.configure_arrow(pathlib.Path("/bin/false")))

    def test_every_part_has_the_version_of_the_header(self):
        header = (self.prefix / "include/alloy/alloy.h").read_text()
        version = re.search(r'^#define ALLOY_VERSION "([^"]+)"$', header, re.M)[1]
        pkgconfig = next(self.prefix.glob("lib*/**/pkgconfig"))
        library = ctypes.CDLL(pkgconfig.parent / "liballoy.so")
        library.alloy_version.restype = ctypes.c_char_p
        package = (pkgconfig.parent / "cmake/alloy/alloyConfigVersion.cmake").read_text()
        crate = (self.prefix / "share/arrowalloy/rust/Cargo.toml").read_text()
        found = {
            "engine": library.alloy_version().decode(),
            "file name": (pkgconfig.parent / "liballoy.so").resolve().name.split(".so.")[1],
            "command line": run(self.prefix / "bin/arrowalloy", "--version").split()[1],
            "pkg-config": run("pkg-config", "--modversion", "alloy", env={
                **os.environ, "PKG_CONFIG_PATH": str(pkgconfig)}).strip(),
            "CMake": re.search(r'set\(PACKAGE_VERSION "([^"]+)"\)', package)[1],
            "crate": re.search(r'^version = "([^"]+)"$', crate, re.M)[1],
        }
        self.assertEqual(found, dict.fromkeys(found, version))

    def test_every_public_header_is_installed(self):
        def names(folder):
            return sorted(str(p.relative_to(folder)) for p in folder.rglob("*.h*"))
        public = names(ROOT / "include") + names(ROOT / "testing/include")
        self.assertEqual(names(self.prefix / "include"), sorted(public))
