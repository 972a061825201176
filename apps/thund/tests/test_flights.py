# SPDX-License-Identifier: MIT
"""The graph of the flights and DuckDB compute the same rows."""

import json
import math
import pathlib
import subprocess
import tempfile
import unittest

import duckdb
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = ROOT / "build"
EXAMPLES = ROOT / "apps/thund/examples"

MARKERS = {"flights": BUILD / "data/flights.csv", "carriers": EXAMPLES / "carriers.csv"}
KM = "SELECT carrier, dest, distance::DOUBLE * {factor} AS distance FROM '{flights}'"
USUAL = f"SELECT carrier, count(*) AS count, avg(distance) AS usual FROM ({KM}) GROUP BY carrier"
NAMED = f"SELECT u.carrier, count, usual, name FROM ({USUAL}) u JOIN '{{carriers}}' c USING (carrier)"
BESIDE = (f"SELECT k.carrier, dest, distance, count, usual FROM ({KM}) k "
          f"JOIN ({USUAL}) u USING (carrier)")
LONG = f"SELECT * FROM ({KM}) WHERE distance >= 4000"


def duck(query, factor):
    return sorted(duckdb.sql(query.format(factor=factor, **MARKERS)).fetchall())


def rows(table):
    return sorted(zip(*(column.to_pylist() for column in table.columns), strict=True))


class FlightsTest(unittest.TestCase):
    def run_graph(self, factor):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        text = (EXAMPLES / "flights.toml").read_text()
        text = text.replace("../../../build/thund/", "").replace("../../../build", str(BUILD))
        text = text.replace('"carriers.csv"', f'"{EXAMPLES}/carriers.csv"')
        (folder / "flights.toml").write_text(text)
        done = subprocess.run(
            [BUILD / "bin/thund", "run", folder / "flights.toml", "--set", f"factor={factor}",
             "--json"], check=True, capture_output=True, timeout=120)
        self.assertEqual(json.loads(done.stdout)["dead_letters"], 0)
        with pyarrow.ipc.open_file(folder / "feed.arrow") as feed:
            beside = feed.read_all()
        return {NAMED: rows(pyarrow.csv.read_csv(folder / "report.csv")),
                LONG: rows(pyarrow.parquet.read_table(folder / "far.parquet")),
                BESIDE: rows(beside)}

    # Acceptance 3. The sums are whole numbers, so that no order of additions changes them.
    def test_every_sink_equals_duckdb_to_the_digit(self):
        for query, found in self.run_graph("1").items():
            self.assertGreater(len(found), 0, query)
            self.assertEqual(found, duck(query, "1"), query)

    # The factor is applied to each row in the same way; a mean depends on the order.
    def test_kilometres_equal_duckdb(self):
        found = self.run_graph("1.609344")
        self.assertEqual(found[LONG], duck(LONG, "1.609344::DOUBLE"))
        for ours, theirs in zip(found[NAMED], duck(NAMED, "1.609344::DOUBLE"), strict=True):
            self.assertEqual(ours[:2], theirs[:2])
            self.assertTrue(math.isclose(ours[2], theirs[2], rel_tol=1e-11), (ours, theirs))


if __name__ == "__main__":
    unittest.main()
