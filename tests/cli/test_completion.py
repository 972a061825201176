# SPDX-License-Identifier: MIT
"""The completions work in the shells they are for."""

import subprocess
import unittest

from support import CommandTest


def bash(script, line):
    """What bash would offer for a line whose last word is being typed."""
    words = line.split(" ")
    quoted = " ".join(f"'{word}'" for word in words)
    command = f"""{script}
        COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}
        _arrowalloy; printf '%s\\n' "${{COMPREPLY[@]}}" """
    done = subprocess.run(["bash", "-c", command], text=True, capture_output=True,
                          check=True, timeout=60)
    return sorted(done.stdout.split())


class CompletionTest(CommandTest):
    def test_bash_offers_commands_options_and_choices(self):
        script = self.succeed("completion", "bash").out
        self.assertIn("completion", bash(script, "arrowalloy "))
        self.assertEqual(bash(script, "arrowalloy compl"), ["completion"])
        self.assertEqual(bash(script, "arrowalloy completion --col"), ["--color"])
        self.assertEqual(bash(script, "arrowalloy completion "), ["bash", "fish", "zsh"])
        self.assertEqual(bash(script, "arrowalloy completion --color a"),
                         ["always", "auto"])

    def test_fish_offers_commands_options_and_choices(self):
        script = self.here / "arrowalloy.fish"
        script.write_text(self.succeed("completion", "fish").out)

        def offered(line):
            done = subprocess.run(
                ["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"],
                text=True, capture_output=True, check=True, timeout=60,
                env={"HOME": str(self.here), "PATH": "/usr/bin:/bin"})
            return sorted(row.split("\t")[0] for row in done.stdout.splitlines())

        self.assertEqual(offered("arrowalloy compl"), ["completion"])
        self.assertEqual(offered("arrowalloy completion "), ["bash", "fish", "zsh"])
        self.assertEqual(offered("arrowalloy completion --col"), ["--color"])

    def test_zsh_takes_the_script_and_knows_its_function(self):
        script = self.here / "_arrowalloy"
        script.write_text(self.succeed("completion", "zsh").out)
        done = subprocess.run(
            ["zsh", "-f", "-c", "autoload -Uz compinit && compinit -u -D && source ./_arrowalloy"
             " && print -r -- $_comps[arrowalloy]"], cwd=self.here, text=True,
            capture_output=True, timeout=60)
        self.assertEqual((done.stdout, done.stderr), ("_arrowalloy\n", ""))

    def test_another_shell_is_refused(self):
        self.assertIn("ksh", self.refuse(2, "E0002", "completion", "ksh").err)


if __name__ == "__main__":
    unittest.main()
