# SPDX-License-Identifier: MIT
"""pandas without an adapter: frames go into functions and stages, and come back."""

import os
import pathlib

import numpy as np
import pandas as pd
import pytest

import alloy

BUILD = pathlib.Path(os.environ["ALLOY_BUILD"])


def points(rows):
    i = np.arange(rows)
    return pd.DataFrame({"x": np.where(i % 7 == 0, np.nan, i / 4), "y": i.astype("int64")})


@pytest.fixture(params=[False, True], ids=["in process", "isolated"])
def stage(request):
    return alloy.Stage(BUILD / "backends/score_cpp.so", "score", f"@{BUILD}/dev.crt",
                       isolated=request.param)


@pytest.mark.parametrize("rows", [0, 1, 100_000])
def test_a_frame_goes_in_and_comes_out(stage, rows):
    df = points(rows)
    result = stage(df)
    assert isinstance(result, pd.DataFrame) and list(result.columns) == ["score"]
    pd.testing.assert_series_equal(result["score"], df["x"] * df["y"], check_names=False)


def test_a_result_becomes_a_frame(score):
    df = points(1000)
    result = pd.DataFrame.from_arrow(score.score(df))
    pd.testing.assert_series_equal(result["score"], df["x"] * df["y"], check_names=False)


def test_the_index_stays_with_its_rows(stage):
    df = points(10)
    df.index = pd.Index([f"row {i}" for i in range(10)], name="key")
    chosen = df[df["y"] % 3 == 1]
    pd.testing.assert_series_equal(stage(chosen)["score"], chosen["x"] * chosen["y"],
                                   check_names=False)
    result = stage(df.sort_values("y", ascending=False))
    assert result.index.name == "key" and result["score"]["row 8"] == 16.0


@pytest.mark.parametrize("column", [
    pd.Series(pd.Categorical(["a", None, "b"], categories=["b", "a"])),
    pd.Series(pd.to_datetime(["2020-01-01 01:02:03", None, "2020-06-01 00:00:00"]).tz_localize(
        "Europe/Berlin")),
    pd.Series(["a", None, "ü" * 20]), pd.Series([b"\0", None, b"x"], dtype=object),
    pd.Series([True, None, False], dtype="boolean"), pd.Series([1, None, 3], dtype="Int8"),
    pd.Series(pd.to_timedelta([1, None, 3], unit="s")), pd.Series([1.5, None, 3], dtype="float32"),
    pd.Series([[1, 2], None, []], dtype=object)], ids=lambda s: str(s.dtype))
def test_the_echo_gives_back_every_type(host, column):
    df = pd.DataFrame({"c": column})
    back = pd.DataFrame.from_arrow(alloy.Bridge(host).echo(df))
    assert list(back["c"].isna()) == list(df["c"].isna())
    values = [v.tolist() if isinstance(v, np.ndarray) else v for v in back["c"].dropna()]
    assert values == list(df["c"].dropna())
    if column.dtype == "category":
        assert list(back["c"].cat.categories) == ["b", "a"]
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        assert str(back["c"].dtype.tz) == "Europe/Berlin"


def test_objects_that_arrow_does_not_know_are_an_error(host, stage):
    df = points(2).assign(x=[object(), object()])
    with pytest.raises(Exception, match="object"):
        stage(df)
    with pytest.raises(Exception, match="object"):
        alloy.Bridge(host).echo(df)


def test_a_wrong_type_is_named(stage):
    with pytest.raises(alloy.NoMatchError, match="wrong type"):
        stage(points(2).astype({"y": "float64"}))
