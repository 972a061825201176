# SPDX-License-Identifier: MIT
import alloy
import pyarrow as pa

with alloy.open("build/backends/score_cpp.so", certificate="@build/dev.crt") as score:
    batch = pa.record_batch({"x": [1.5, 2, None], "y": [10, 20, 30]})
    print(score.score(batch))  # {score: Float64[15.0, 40.0, null]}
    print(pa.record_batch(score.score(batch)))  # any library accepts the result
