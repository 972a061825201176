# SPDX-License-Identifier: MIT
"""Dask with processes: results, types that are known before anything runs, and refusals."""

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from dask.distributed import Client, LocalCluster

import alloy
from conftest import CERTIFICATE, CRASH, SCORE, STREAMS, TRIES, copy_of, tamper


@pytest.fixture(scope="module")
def client():
    with (LocalCluster(n_workers=2, threads_per_worker=1, processes=True,
                       dashboard_address=None) as cluster, Client(cluster) as connected):
        yield connected


@pytest.fixture
def frame():
    rows = np.arange(3000)
    return pd.DataFrame({"s": "a", "y": rows, "x": np.where(rows % 7, rows / 4, np.nan)},
                        index=pd.Index(rows + 100, name="row"))


def test_equal_to_pandas(client, frame):
    stage = alloy.Stage(SCORE, "score", CERTIFICATE)
    frames = dd.from_pandas(frame, npartitions=5)
    made = frames.map_partitions(stage, meta=alloy.dask.meta(stage, frames))
    assert made.dtypes.to_dict() == {"score": np.dtype("float64")}
    expected = pd.DataFrame({"score": frame.x * frame.y})
    pd.testing.assert_frame_equal(made.compute(), expected)
    pd.testing.assert_frame_equal(made.loc[150:160].compute(), expected.loc[150:160])
    assert client.submit(len, [1]).result() == 1  # no worker died


@pytest.mark.parametrize("wrapped", [False, True])
def test_without_meta_nothing_runs(frame, tmp_path, host, wrapped):
    tries = tmp_path / "tries"
    stage = alloy.Stage(TRIES, "try_it", host=host,
                        options={"path": str(tries), "failures": 0})
    frames = dd.from_pandas(frame[["y"]].rename(columns={"y": "x"}), npartitions=2)
    with pytest.raises(alloy.InvalidError, match="clear_divisions"):
        alloy.dask.meta(stage, frames)  # it may move rows
    frames = frames.clear_divisions()
    with pytest.raises(Exception, match=r"alloy\.dask\.meta\(stage, ddf\)") as caught:
        frames.map_partitions((lambda data: stage(data)) if wrapped else stage)
    assert type(alloy.error_from(caught.value)) is alloy.InvalidError
    assert not tries.exists()
    lazy = frames.map_partitions(stage, meta=alloy.dask.meta(stage, frames))
    assert not tries.exists()
    assert lazy.compute(scheduler="sync").x.tolist() == (2 * frame.y).tolist()
    assert len(tries.read_text()) == 2


def test_an_index_that_is_a_column_comes_back(frame, host):
    stage = alloy.Stage(STREAMS, "pass", host=host)
    frames = dd.from_pandas(frame, npartitions=3).clear_divisions()
    meta = alloy.dask.meta(stage, frames)
    made = frames.map_partitions(stage, meta=meta).compute(scheduler="sync")
    pd.testing.assert_frame_equal(made, frame, check_dtype=False)
    assert meta.index.name == made.index.name == "row"


def test_meta_refuses_types_before_anything_runs(frame):
    stage = alloy.Stage(SCORE, "score", CERTIFICATE)
    frames = dd.from_pandas(frame.assign(x="text"), npartitions=2)
    with pytest.raises(alloy.NoMatchError):
        alloy.dask.meta(stage, frames)


def test_a_tampered_library_is_a_refusal_at_the_client(client, frame, tmp_path):
    library = copy_of(SCORE, tmp_path)
    # Its own digest among those that the workers have open: they look for the file.
    stage = alloy.Stage(library, "score", CERTIFICATE, isolated=True)
    frames = dd.from_pandas(frame, npartitions=2)
    made = frames.map_partitions(stage, meta=alloy.dask.meta(stage, frames))
    tamper(library)
    with pytest.raises(Exception) as caught:
        made.compute()
    error = alloy.error_from(caught.value)
    assert type(error) is alloy.RefusedError and error.reason == "DIGEST"
    assert str(library) in str(error)


def test_a_crash_in_a_worker_process_is_an_error_and_no_dask_worker_dies(client, host):
    stage = alloy.Stage(CRASH, "act", host=host, isolated=True)
    frames = dd.from_pandas(pd.DataFrame({"x": [0, 14]}), npartitions=2).clear_divisions()
    before = set(client.scheduler_info()["workers"])
    made = frames.map_partitions(stage, meta=alloy.dask.meta(stage, frames))
    with pytest.raises(Exception) as caught:
        made.compute()
    error = alloy.error_from(caught.value)
    assert type(error) is alloy.WorkerLostError
    assert "SIGABRT" in str(error) and "at line 3" in str(error) and "act" in str(error)
    assert made.partitions[0].compute().x.tolist() == [0]
    assert set(client.scheduler_info()["workers"]) == before
