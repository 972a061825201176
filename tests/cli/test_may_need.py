# SPDX-License-Identifier: MIT
"""A backend on Arrow C++: each command loads what --may-need names, and nothing else."""

import pathlib
import re

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from arrow_cpp import MAY_NEED, NEEDED
from arrow_cpp import NEEDS_ARROW as LIBRARY
from support import BUILD, CommandTest

CERTIFICATE = ("--certificate", f"@{BUILD / 'dev.crt'}")


class MayNeedTest(CommandTest):
    def test_the_sidecar_names_the_files_without_their_folders(self):
        sidecar = pathlib.Path(f"{LIBRARY}.alloysig").read_text()
        needed = re.findall(r"(?m)^needed: (.*)$", sidecar)
        self.assertLessEqual({file.name for file in NEEDED}, set(needed))
        self.assertFalse([name for name in needed if "/" in name])

    def test_without_may_need_the_missing_library_is_named(self):
        for command in ("verify", "inspect"):
            done = self.arrowalloy(command, LIBRARY, *CERTIFICATE)
            self.assertNotEqual(done.code, 0)
            self.assertRegex(done.err, r"needs libarrow\w*\.so\.\d+, which this host does not allow")

    def test_verify_and_inspect_decide_as_a_host_that_allows_it(self):
        self.succeed("verify", LIBRARY, *CERTIFICATE, *MAY_NEED)
        answer = self.succeed("inspect", LIBRARY, *CERTIFICATE, *MAY_NEED, "--json").json()
        self.assertEqual([f["name"] for f in answer["functions"]], ["titles"])

    def test_another_file_with_the_same_name_is_refused(self):
        other = self.here / NEEDED[1].name
        other.write_bytes((BUILD / "backends/echo_c.so").read_bytes())
        done = self.arrowalloy("verify", LIBRARY, *CERTIFICATE, *MAY_NEED[:2],
                               "--may-need", other)
        self.assertNotEqual(done.code, 0)
        self.assertIn(f"needs {other.name}", done.err)

    def test_sign_asks_the_library_for_its_name(self):
        self.succeed("keygen", "--out", "own", "--quiet")
        copy = self.here / "titles.so"
        copy.write_bytes(LIBRARY.read_bytes())
        key = ("--key", "own.key", "--cert", "own.crt")
        done = self.arrowalloy("sign", copy, *key)
        self.assertNotEqual(done.code, 0)
        self.assertIn("which this host does not allow", done.err)
        answer = self.succeed("sign", copy, *key, *MAY_NEED, "--json").json()
        self.assertEqual((answer["name"], answer["version"]), ("acme.titles", "0.1.0"))

    def test_the_conformance_suite_runs_on_it(self):
        done = self.succeed("test", LIBRARY, *CERTIFICATE, *MAY_NEED, "--rows", 20,
                            "--columns", "title:u, year:i", "--columns", "title:U",
                            "--set", "column=title", "--json")
        answer = done.json()
        self.assertGreater(answer["passed"], 5)
        self.assertEqual(answer["failed"], 0)

    def test_run_returns_what_the_kernels_return_in_python(self):
        titles = pa.array(["  the art of fugue ", None, "", "r\u00eaverie\t", "b-minor MASS"] * 40)
        pq.write_table(pa.table({"n": range(len(titles)), "title": titles}),
                       self.here / "in.parquet")
        self.succeed("run", LIBRARY, "titles", *CERTIFICATE, *MAY_NEED, "--set",
                     "column=title", "--batch-rows", 7, "-i", "in.parquet", "-o", "out.parquet")
        out = pq.read_table(self.here / "out.parquet")
        self.assertEqual(out["title"].combine_chunks(),
                         pc.utf8_title(pc.utf8_trim_whitespace(titles)))
        self.assertEqual(out["n"].to_pylist(), list(range(len(titles))))
