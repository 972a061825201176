# SPDX-License-Identifier: MIT
"""What new makes builds, signs, tests and runs at once, offline, from an installed Alloy.

The backend in Go takes arrow-go from the module cache, where the build of Alloy has put it."""

import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile

from support import BUILD, CommandTest

LIMIT = 300  # seconds from new to the first own result, on 2 cores
RESULT = "distance: Float64[5.0, null, 10.0]\n"


def offline(folder):
    """An environment in which nothing can be fetched, and no crate was fetched before."""
    nowhere = "http://127.0.0.1:9"
    return {**os.environ, "CARGO_HOME": str(folder / "cargo"), "CARGO_NET_OFFLINE": "true",
            "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", os.path.expanduser("~/.rustup")),
            "GOPROXY": "off", "http_proxy": nowhere, "https_proxy": nowhere, "HTTPS_PROXY": nowhere}


class NewTest(CommandTest):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        installed = pathlib.Path(folder.name) / "installed"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", installed], check=True,
                       capture_output=True, timeout=LIMIT)
        # An installed tree may be moved.
        cls.prefix = pathlib.Path(folder.name) / "moved"
        shutil.move(installed, cls.prefix)

    def sh(self, command, folder="."):
        environment = offline(self.here)
        # From the environment of the tests: a make inside make prints the folders it enters.
        for theirs in ("CARGO_TARGET_DIR", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
            environment.pop(theirs, None)
        environment["PATH"] = f"{self.prefix}/bin:{environment['PATH']}"
        done = subprocess.run(command, shell=True, cwd=self.here / folder, text=True,
                              errors="replace", capture_output=True, timeout=LIMIT,
                              env=environment)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def commands_of(self, folder):
        """The commands in the README of the folder."""
        text = (self.here / folder / "README.md").read_text()
        block = re.search(r"\n\n((?:    .*\n)+)", text)[1]
        return [line.split("  #")[0].strip() for line in block.splitlines()]

    def from_new_to_a_result(self, language, name):
        self.sh(f"arrowalloy new --lang {language} {name}")
        commands = self.commands_of(name)
        # new and cd are commands, too.
        self.assertLessEqual(len(commands) + 2, 10)
        said = [self.sh(command, name) for command in commands]
        self.assertTrue((self.here / name / f"build/{name}.so.alloysig").exists())
        return said

    def test_a_backend_in_cpp(self):
        said = self.from_new_to_a_result("cpp", "score")
        self.assertIn("100% tests passed", said[2])
        self.assertEqual(said[-1], "{" + RESULT.strip() + "}\n")

    def test_a_backend_in_c(self):
        said = self.from_new_to_a_result("c", "small")
        self.assertIn("1 passed", said[1])
        self.assertEqual(said[-1], RESULT)

    def test_a_backend_in_rust_needs_no_other_crate(self):
        said = self.from_new_to_a_result("rust", "far")
        self.assertIn("test result: ok. 1 passed", said[1])
        self.assertEqual(said[-1], RESULT)
        lock = (self.here / "far/Cargo.lock").read_text()
        self.assertEqual(re.findall(r'^name = "(.*)"', lock, re.M), ["arrowalloy", "far"])

    def test_a_backend_in_go_finds_its_sdk_in_the_installation(self):
        said = self.from_new_to_a_result("go", "gone")
        self.assertIn("ok  \tgone\t", said[1])
        self.assertIn("1 passed", said[1])
        self.assertEqual(said[-1], RESULT)
        self.assertIn(f"=> {self.prefix}/share/arrowalloy/go\n",
                      (self.here / "gone/go.mod").read_text())

    def test_a_library_that_is_built_again_is_signed_again(self):
        self.sh("arrowalloy new --lang c small")
        self.sh("make", "small")
        sidecar = self.here / "small/build/small.so.alloysig"
        before = sidecar.read_text()
        source = self.here / "small/backend.c"
        source.write_text(source.read_text().replace('"0.1.0"', '"0.2.0"'))
        self.assertEqual(self.sh("make -s run", "small").splitlines()[-1] + "\n", RESULT)
        self.assertNotEqual(sidecar.read_text(), before)
        self.assertIn("version: 0.2.0\n", sidecar.read_text())

    def test_the_key_is_for_its_owner_and_kept_out_of_repositories(self):
        self.sh("arrowalloy new --lang cpp score")
        key = self.here / "score/dev.key"
        self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)
        self.sh("git init -q && git check-ignore -q dev.key && git check-ignore -q build/x", "score")

    def test_arrow_adds_arrow_rs(self):
        self.sh("arrowalloy new --lang rust --arrow wide")
        manifest = (self.here / "wide/Cargo.toml").read_text()
        self.assertIn("arrow-array = ", manifest)
        self.assertIn("RecordBatch", (self.here / "wide/src/lib.rs").read_text())
        self.assertNotIn("@", manifest + (self.here / "wide/Makefile").read_text().replace(
            "$@", "").replace("\t@", ""))

    def test_nothing_is_overwritten_and_odd_names_are_refused(self):
        (self.here / "taken").mkdir()
        (self.here / "taken/file").write_text("mine")
        self.refuse(2, "E0103", "new", "--lang", "c", "taken")
        self.assertEqual(os.listdir(self.here / "taken"), ["file"])
        for name in ("Big", "two words", "9lives", "a-b", "fn", "host", "all", "a" * 65):
            self.refuse(2, "E0002", "new", "--lang", "c", name)
            self.assertFalse((self.here / name).exists())
        self.refuse(2, "E0002", "new", "--lang", "cpp", "--arrow", "score")
        self.refuse(2, "E0002", "new", "--lang", "java", "score")
        self.refuse(2, "E0002", "new", "score")

    def test_an_installation_without_its_parts_is_told(self):
        program = self.here / "bin/arrowalloy"
        program.parent.mkdir()
        shutil.copy(self.prefix / "bin/arrowalloy", program)
        done = subprocess.run([program, "new", "--lang", "c", "small"], cwd=self.here, text=True,
                              capture_output=True, timeout=60,
                              env={**os.environ, "LD_LIBRARY_PATH": str(BUILD / "lib")})
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("alloyConfig.cmake is missing", done.stderr)
        self.assertFalse((self.here / "small").exists())

    def test_manual_and_completions_are_installed(self):
        page = (self.prefix / "share/man/man1/arrowalloy.1").read_text()
        self.assertIn(".SS sign", page)
        for path in ("bash-completion/completions/arrowalloy", "zsh/site-functions/_arrowalloy",
                     "fish/vendor_completions.d/arrowalloy.fish"):
            self.assertIn("arrowalloy", (self.prefix / "share" / path).read_text())
