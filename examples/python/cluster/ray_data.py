# SPDX-License-Identifier: MIT
import alloy
import alloy.ray
import ray

stage = alloy.Stage("build/backends/score_cpp.so", "score", certificate="@build/dev.crt")
alloy.ray.configure()  # before the dataset is made
ds = ray.data.range(1000).map_batches(
    lambda t: {"x": t["id"] / 4, "y": t["id"]}).map_batches(stage, batch_format="pyarrow")
print(ds.sum("score"))  # 83208375.0
