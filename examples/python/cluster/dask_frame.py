# SPDX-License-Identifier: MIT
import alloy
import alloy.dask
import dask.dataframe as dd
import numpy as np
import pandas as pd

stage = alloy.Stage("build/backends/score_cpp.so", "score", certificate="@build/dev.crt")
rows = np.arange(1000)
ddf = dd.from_pandas(pd.DataFrame({"x": rows / 4, "y": rows}), npartitions=4)
scored = ddf.map_partitions(stage, meta=alloy.dask.meta(stage, ddf))
print(scored["score"].sum().compute())  # 83208375.0
