# SPDX-License-Identifier: MIT
import multiprocessing

import alloy
import pyarrow as pa

if __name__ == "__main__":
    stage = alloy.Stage("build/backends/score_cpp.so", "score", certificate="@build/dev.crt")
    table = pa.table({"x": [1.5, 2, 4], "y": [10, 20, 30]})
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print(pool.map(stage, [table, table])[1]["score"].to_pylist())  # [15.0, 40.0, 120.0]
