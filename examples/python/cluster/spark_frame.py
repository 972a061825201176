# SPDX-License-Identifier: MIT
import alloy
import alloy.spark
from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").getOrCreate()
stage = alloy.Stage("build/backends/score_cpp.so", "score", certificate="@build/dev.crt")
spark.addArtifact("build/backends/score_cpp.so", file=True)
spark.addArtifact("build/backends/score_cpp.so.alloysig", file=True)
df = spark.range(1000).selectExpr("id as y", "id / 4 as x")
scored = df.mapInArrow(stage.batches, schema=alloy.spark.schema(stage, df))
print(scored.agg({"score": "sum"}).first()[0])  # 83208375.0
