# SPDX-License-Identifier: MIT
import alloy
import pyarrow as pa

with alloy.open("build/backends/score_cpp.so", certificate="@build/dev.crt",
                isolated=True) as score:
    batch = pa.record_batch({"x": [1.5, 2, None], "y": [10, 20, 30]})
    print(score.score(batch))  # {score: Float64[15.0, 40.0, null]}
    try:
        score.score(pa.record_batch({"x": ["a"], "y": [1]}))
    except alloy.NoMatchError as error:
        print([error.code, error.side, error.retryable])  # ['NO_MATCH', 'caller', False]
        print(error)  # a table of the types that it wants and that it got
