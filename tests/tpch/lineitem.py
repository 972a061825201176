# SPDX-License-Identifier: MIT
"""TPC-H's lineitem as Parquet, and what DuckDB answers on it."""

import os
import pathlib
import subprocess
import sysconfig

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("ALLOY_BUILD", ROOT / "build"))

Q1 = """
SELECT l_returnflag, l_linestatus, sum(l_quantity) AS sum_qty,
       sum(l_extendedprice) AS sum_base_price,
       sum(l_extendedprice * (1 - l_discount)) AS sum_disc_price,
       sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge,
       avg(l_quantity) AS avg_qty, avg(l_extendedprice) AS avg_price,
       avg(l_discount) AS avg_disc, count(*) AS count_order
FROM read_parquet('{file}') WHERE l_shipdate <= DATE '1998-09-02'
GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus"""

Q6 = """
SELECT sum(l_extendedprice * l_discount) AS revenue
FROM read_parquet('{file}')
WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01'
  AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24"""

QUERIES = {"q1": Q1, "q6": Q6}


def lineitem(scale):
    """The file at a scale factor; made once."""
    folder = ROOT / f"build/data/tpch-{scale}"
    file = folder / "lineitem.parquet"
    if not file.is_file():
        # Made elsewhere and moved in whole, so that an interrupted run leaves no half.
        part = folder.with_name(f"{folder.name}.part")
        part.mkdir(parents=True, exist_ok=True)
        program = pathlib.Path(sysconfig.get_path("scripts")) / "tpchgen-cli"
        subprocess.run([program, "parquet", "--scale-factor", str(scale), "--tables",
                        "lineitem", "--output-dir", part], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        folder.mkdir(exist_ok=True)
        (part / "lineitem.parquet").rename(file)
    return file


def rows(table):
    """The rows of a pyarrow table as Python values, doubles by their every bit."""
    def exact(value):
        return value.hex() if isinstance(value, float) else value

    return [tuple(map(exact, row.values())) for row in table.to_pylist()]


def duckdb_rows(query, file, threads=1):
    import duckdb

    connection = duckdb.connect(config={"threads": threads})
    answer = connection.sql(QUERIES[query].format(file=file)).to_arrow_table()
    return rows(answer)
