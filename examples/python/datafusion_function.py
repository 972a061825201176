# SPDX-License-Identifier: MIT
import alloy, datafusion, pyarrow as pa

ctx = datafusion.SessionContext()
ctx.from_pydict({"x": [1.5, 2.0, None], "y": [10, 20, 30]}, name="t")
with alloy.open("build/backends/score_cpp.so", certificate="@build/dev.crt") as score:
    ctx.register_udf(alloy.datafusion.udf(score.score, [pa.float64(), pa.int64()]))
    print(ctx.sql("select score(x, y) as s from t").to_pydict())  # {'s': [15.0, 40.0, None]}
    print([ctx.from_arrow(score.score.stream(ctx.table("t"))).count()])  # [3]
