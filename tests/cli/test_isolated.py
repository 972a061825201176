# SPDX-License-Identifier: MIT
"""What --isolated adds: the exit code names how the backend was lost."""

import pyarrow as pa
import pyarrow.parquet

from support import BUILD, CommandTest

# tests/isolated/ways.h: how a row of 1 and more kills the worker.
SEGV, EXIT, HEAP, KILLED, BREAK_RULES = 1, 3, 13, 15, 19


class IsolatedTest(CommandTest):
    def lose(self, way, library="crash"):
        source = self.here / "in.parquet"
        pa.parquet.write_table(pa.table({"x": pa.array([way], pa.int64())}), source)
        done = self.arrowalloy("run", BUILD / f"backends/tests/{library}.so", "act", "-i", source,
                               "-o", "out.parquet", "--allow-unsigned", "--isolated")
        self.assertFalse((self.here / "out.parquet").exists())
        return done

    def test_the_exit_code_names_the_cause(self):
        for way, library, code, name in ((SEGV, "crash", 20, "E5001"),
                                         (KILLED, "crash", 20, "E5001"),
                                         (EXIT, "crash", 20, "E5002"),
                                         (HEAP, "crash", 22, "E5004"),
                                         (BREAK_RULES, "crash_cpp", 23, "E5005")):
            with self.subTest(name, way=way):
                done = self.lose(way, library)
                self.assertEqual(done.code, code, done.err)
                self.assertIn(name, done.err)
                self.assertIn("in act, batch 1", done.err)
