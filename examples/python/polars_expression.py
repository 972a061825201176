# SPDX-License-Identifier: MIT
import alloy, polars as pl

df = pl.DataFrame({"x": [1.5, 2.0, None], "y": [10, 20, 30]})
with alloy.open("build/backends/score_cpp.so", certificate="@build/dev.crt") as score:
    scored = df.lazy().with_columns(alloy.polars.expr(score.score, "x", "y"))
    print(scored.select("y", "score").collect().rows())  # [(10, 15.0), (20, 40.0), (30, None)]
    lazy = alloy.polars.scan(score.score, df)  # runs for each collect
    print(lazy.select(pl.col("score").sum()).collect().rows())  # [(55.0,)]
