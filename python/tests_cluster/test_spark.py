# SPDX-License-Identifier: MIT
"""Spark with two executors, which are processes with working folders of their own."""

import os
import pathlib
import shutil
import sys

import pyarrow as pa
import pyspark
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.functions import col

import alloy
from conftest import CERTIFICATE, CRASH, SCORE, STREAMS, TRIES, copy_of, tamper

ROWS = 20_000


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    work = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_DIRS", str(work / "local"))
        patch.chdir(work)
        made = (SparkSession.builder.master("local-cluster[2,1,1024]").appName("alloy")
                .config("spark.ui.enabled", "false")
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.executor.memory", "600m")
                .config("spark.driver.memory", "600m")
                .config("spark.sql.warehouse.dir", str(work / "warehouse"))
                .config("spark.sql.shuffle.partitions", "4")
                .config("spark.sql.execution.arrow.maxRecordsPerBatch", "3000")
                .config("spark.python.worker.faulthandler.enabled", "true")
                .getOrCreate())
        made.sparkContext.setLogLevel("OFF")
        yield made
        made.stop()
    # The executors of local-cluster work here, whatever SPARK_WORKER_DIR says.
    shutil.rmtree(pathlib.Path(pyspark.__file__).parent / "work", ignore_errors=True)


@pytest.fixture(scope="module")
def points(spark):
    # The columns are in another order than the function declares them, with one more.
    return (spark.range(ROWS, numPartitions=4)
            .selectExpr("'a' as s", "id as y",
                        "case when id % 7 = 0 then null else id / 4 end as x"))


@pytest.fixture(scope="module")
def shipped(spark, tmp_path_factory):
    """A stage whose library executors find only where Spark has put it."""
    here, sent = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("sent")
    library = copy_of(SCORE, here)
    stage = alloy.Stage(library, "score", certificate=CERTIFICATE)
    library.unlink()
    copy_of(SCORE, sent)
    spark.addArtifact(str(sent / "score_cpp.so"), file=True)
    spark.addArtifact(str(sent / "score_cpp.so.alloysig"), file=True)
    return stage


def test_equal_to_spark_on_executors_with_their_own_copies(points, shipped):
    schema = alloy.spark.schema(shipped, points)
    assert schema.simpleString() == "struct<score:double>"
    scored = points.mapInArrow(shipped.batches, schema=schema)
    expected = points.select((col("x") * col("y")).alias("score"))
    assert scored.exceptAll(expected).count() == 0
    assert scored.count() == expected.count() == ROWS

    def where(batches):
        for batch in shipped.batches(batches):
            maps = pathlib.Path("/proc/self/maps").read_text().splitlines()
            loaded = {m.split()[4] for m in maps if "memfd:alloy-backend" in m}
            rows = len(batch)
            from alloy import _reference
            bridge, = _reference._bridges.values()
            yield pa.record_batch({"loaded": [len(loaded)] * rows,
                                   "path": [bridge.path] * rows})

    rows = points.mapInArrow(where, "loaded long, path string").distinct().collect()
    assert len(rows) == 2 and {row.loaded for row in rows} == {1}
    folders = {str(pathlib.Path(row.path).parent) for row in rows}
    assert len(folders) == 2 and str(pathlib.Path(shipped._reference.path).parent) not in folders


def test_run_orders_columns_by_name_and_gives_plain_text(spark, host):
    stage = alloy.Stage(STREAMS, "pass", host=host)
    df = spark.createDataFrame([("a", 1), (None, 2)], "s string, x long")
    assert sorted(alloy.spark.run(stage, df).collect(), key=lambda r: r.x) == df.collect()
    # Spark takes columns by position: a batch in another order is put in order.
    wanted = pa.schema({"s": pa.string(), "x": pa.int64()})
    from alloy.spark import Mapper
    turned = pa.record_batch({"x": [1], "s": pa.array(["a"], pa.string_view())})
    made, = Mapper(stage, wanted)(iter([turned]))
    assert made.schema == wanted and made.to_pydict() == {"s": ["a"], "x": [1]}
    wrong = pa.record_batch({"x": [1], "t": ["a"]})
    with pytest.raises(ValueError, match=r"\['x', 't'\].*\['s', 'x'\]"):
        list(Mapper(stage, wanted)(iter([wrong])))


def test_types_are_refused_before_a_job_starts(spark, shipped):
    df = spark.createDataFrame([("a", 1)], "x string, y long")
    with pytest.raises(alloy.NoMatchError):
        alloy.spark.schema(shipped, df)


def refusal_of(job):
    with pytest.raises(Exception) as caught:
        job.collect()
    return alloy.error_from(caught.value)


def test_a_tampered_library_is_a_refusal_at_the_driver(points, tmp_path):
    # Under a name that Spark has not sent, or its good copy would be taken.
    good = copy_of(SCORE, tmp_path)
    library = good.rename(tmp_path / "other.so")
    pathlib.Path(f"{good}.alloysig").rename(f"{library}.alloysig")
    stage = alloy.Stage(library, "score", CERTIFICATE, isolated=True)
    job = points.mapInArrow(stage.batches, schema=alloy.spark.schema(stage, points))
    tamper(library)
    error = refusal_of(job)
    assert type(error) is alloy.RefusedError and error.reason == "DIGEST"
    assert str(library) in str(error)


def test_spark_tries_again_what_may_succeed_later(spark, host, tmp_path):
    tries = tmp_path / "tries"
    stage = alloy.Stage(TRIES, "try_it", host=host,
                        options={"path": str(tries), "failures": 2})
    df = spark.createDataFrame([(1,), (2,)], "x long").coalesce(1)
    made = df.mapInArrow(stage.batches, schema=alloy.spark.schema(stage, df))
    assert sorted(row.x for row in made.collect()) == [2, 4]
    assert len(tries.read_text()) >= 3


def test_a_crash_in_isolation_is_an_error_and_no_executor_dies(spark, host):
    stage = alloy.Stage(CRASH, "act", host=host, isolated=True)

    def pids():
        return set(spark.range(8, numPartitions=8).mapInArrow(
            lambda batches: [pa.record_batch({"pid": [os.getppid()]}) for _ in batches],
            "pid long").distinct().toPandas().pid)

    before = pids()
    df = spark.createDataFrame([(14,)], "x long").coalesce(1)
    error = refusal_of(df.mapInArrow(stage.batches, schema=alloy.spark.schema(stage, df)))
    assert type(error) is alloy.WorkerLostError
    assert "SIGABRT" in str(error) and "at line 3" in str(error)
    assert pids() <= before
    good = spark.createDataFrame([(0,)], "x long").coalesce(1)
    assert good.mapInArrow(stage.batches, alloy.spark.schema(stage, good)).collect()[0].x == 0
