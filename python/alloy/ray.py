# SPDX-License-Identifier: MIT
"""Ray Data: `ds.map_batches(stage, batch_format="pyarrow")`, in tasks or in actors."""

from typing import Any, TypeVar

from ._errors import UnsupportedError
from ._stage import Stage

T = TypeVar("T")
# Ray compares texts: these are the beginnings of errors that may go away.
_RETRIED = ("[ALLOY RETRY", "[ALLOY LOST")


def configure(*, retries: int = 3) -> None:
    """Let Ray Data raise Alloy's errors, and repeat what may succeed later.

    Call it in the driver before a dataset is made: a dataset copies the settings. Ray knows
    only texts, so it also repeats a call whose worker died if the function is not idempotent.
    """
    import ray.data

    context: Any = ray.data.DataContext.get_current()
    wanted = ("raise_original_map_exception", "retried_map_errors", "max_map_retries")
    missing = [name for name in wanted if not hasattr(context, name)]
    if missing:
        raise UnsupportedError(f"Ray {ray.__version__} has no setting {missing[0]}; install "
                               "Ray 2.60 or later", side="caller")
    context.raise_original_map_exception = True
    if context.retried_map_errors is not True:  # True: every error
        given = list(context.retried_map_errors or ())
        context.retried_map_errors = given + [t for t in _RETRIED if t not in given]
    context.max_map_retries = max(retries, context.max_map_retries)


class Actor:
    """A Stage for `compute=ActorPoolStrategy(...)`: it opens its library once per actor."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        stage.open()

    def __call__(self, data: T) -> T:
        return self._stage(data)
