# SPDX-License-Identifier: MIT
import alloy, pandas as pd

df = pd.DataFrame({"x": [1.5, 2.0, None], "y": [10, 20, 30]})
stage = alloy.Stage("build/backends/score_cpp.so", "score", certificate="@build/dev.crt")
print(stage(df)["score"].fillna(-1).tolist())  # [15.0, 40.0, -1.0]
