# SPDX-License-Identifier: MIT
"""A list of batches with one schema."""

from collections.abc import Iterator

from . import _alloy


class Batches:
    """A list of Batch. Any Arrow library reads it as a stream, as often as it likes."""

    def __init__(self, batches: list[_alloy.Batch], schema: _alloy.Schema) -> None:
        self._batches = batches
        self.schema = schema

    @property
    def num_columns(self) -> int:
        """How many columns each batch has."""
        return len(self.schema)

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> _alloy.Batch:
        return self._batches[index]

    def __iter__(self) -> Iterator[_alloy.Batch]:
        return iter(self._batches)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return _alloy.stream_of(self._batches, self.schema, requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self.schema.__arrow_c_schema__()

    def __repr__(self) -> str:
        return "\n".join(repr(b) for b in self._batches) or f"no batches of {self.schema!r}"


def collect(stream: _alloy.Stream) -> Batches:
    """Read a stream to its end."""
    with stream:
        return Batches(list(stream), stream.schema)
