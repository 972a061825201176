# SPDX-License-Identifier: MIT
"""Spark: `df.mapInArrow(stage.batches, schema=alloy.spark.schema(stage, df))`.

Ship the library and its .alloysig with `spark.addArtifact(path, file=True)`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from ._stage import Stage


def schema(stage: Stage, df: Any) -> Any:
    """Return the Spark schema of the output for a Spark DataFrame. Nothing runs.

    It raises NoMatchError if the function does not accept the columns of `df`, and TypeError
    if Spark has no type for a column of the output.
    """
    from pyspark.sql.pandas.types import from_arrow_schema
    return from_arrow_schema(_arrow_schema(stage, df))


def run(stage: Stage, df: Any) -> Any:
    """Return the DataFrame of the results: `mapInArrow` with the schema of the output.

    Each batch is compared with that schema by name, and views of text become plain text.
    """
    return df.mapInArrow(Mapper(stage, _arrow_schema(stage, df)), schema=schema(stage, df))


class Mapper:
    """What Spark calls with the batches of a partition. Spark reads columns by position, so
    the batches that it returns have the columns of `wanted` in this order."""

    def __init__(self, stage: Stage, wanted: Any) -> None:
        self._stage = stage
        self._wanted = wanted

    def __call__(self, batches: Iterable[Any]) -> Iterator[Any]:
        for batch in self._stage.batches(batches):
            yield _ordered(batch, self._wanted)


def _arrow_schema(stage: Stage, df: Any) -> Any:
    import pyarrow as pa
    from pyspark.sql.pandas.types import to_arrow_schema

    made = pa.schema(stage.output(to_arrow_schema(df.schema)))
    plain = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    return pa.schema([field.with_type(plain.get(field.type, field.type)) for field in made])


def _ordered(batch: Any, wanted: Any) -> Any:
    import pyarrow as pa

    names = batch.schema.names
    if sorted(names) != sorted(wanted.names) or len(set(names)) != len(names):
        raise ValueError(f"a batch has the columns {names}, but the schema {wanted.names}")
    return pa.RecordBatch.from_arrays(
        [batch.column(names.index(field.name)).cast(field.type) for field in wanted],
        schema=wanted)
