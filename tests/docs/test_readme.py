# SPDX-License-Identifier: MIT
"""The code in the documents is the code in examples/, which is built and run as a test."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# <!-- examples/cpp/first.cpp --> and right below it a fenced block of code.
SNIPPET = re.compile(r"<!-- (examples/\S+) -->\n```\w+\n(.*?)```\n", re.DOTALL)
LICENCE = re.compile(r"^(//|#) SPDX-License-Identifier: MIT\n")
FENCED = re.compile(r"^```(cpp|go|rust|c|python)\n", re.MULTILINE)


def documents():
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


class ReadmeTest(unittest.TestCase):
    def test_every_snippet_is_the_text_of_its_example(self):
        seen = 0
        for document in documents():
            for path, code in SNIPPET.findall(document.read_text()):
                example = LICENCE.sub("", (ROOT / path).read_text())
                self.assertEqual(code.lstrip("\n"), example.lstrip("\n"),
                                 f"{document.name} and {path} differ")
                seen += 1
        self.assertGreaterEqual(seen, 3)

    def test_no_code_is_in_the_readme_without_its_example(self):
        text = (ROOT / "README.md").read_text()
        self.assertEqual(len(FENCED.findall(text)), len(SNIPPET.findall(text)))

    def test_every_link_leads_to_a_file(self):
        for document in documents():
            prose = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
            links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", prose)
            for target in links + re.findall(r'<img src="([^"]+)"', prose):
                self.assertTrue((document.parent / target).exists(), f"{document.name}: {target}")


if __name__ == "__main__":
    unittest.main()
