# SPDX-License-Identifier: MIT
"""A Stage on frames of polars and pandas, and inside what cloudpickle takes apart."""

import pickle

import cloudpickle
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import alloy
from conftest import CERTIFICATE, SCORE, STREAMS

BATCH = pa.record_batch({"x": [1.5, 2.0, None], "y": [10, 20, 30]})
SCORES = [15.0, 40.0, None]


def test_polars_frames_come_back():
    stage = alloy.Stage(SCORE, "score", CERTIFICATE)
    made = stage(pl.DataFrame({"x": [1.5, 2.0, None], "y": [10, 20, 30]}))
    assert isinstance(made, pl.DataFrame) and made["score"].to_list() == SCORES
    with pytest.raises(TypeError, match="Object"):
        stage(pl.DataFrame({"x": pl.Series([object()], dtype=pl.Object), "y": [1]}))


def test_pandas_frames_come_back_with_their_index():
    frame = pd.DataFrame({"x": [1.5, 2.0], "y": [10, 20]}, index=pd.Index(["a", "b"], name="k"))
    made = alloy.Stage(SCORE, "score", CERTIFICATE)(frame)
    assert isinstance(made, pd.DataFrame) and made.index.equals(frame.index)
    assert made.index.name == "k" and made["score"].tolist() == [15.0, 40.0]


def test_an_index_travels_through_a_stream_function_as_a_column(host):
    stage = alloy.Stage(STREAMS, "pass", host=host)
    frame = pd.DataFrame({"x": [1, 2]}, index=pd.Index(["a", "b"], name="k"))
    assert stage(frame).equals(frame) and stage(frame).index.name == "k"


def test_cloudpickle_takes_a_stage_inside_a_closure():
    score = alloy.open(SCORE, CERTIFICATE)
    stage = score.score.stage()
    again = pickle.loads(cloudpickle.dumps(lambda data: stage(data)))
    assert again(BATCH).to_pydict() == {"score": SCORES}
