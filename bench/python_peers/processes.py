# SPDX-License-Identifier: MIT
"""Row 11: a call in another process, next to a process pool and a task of Ray."""

import concurrent.futures
import multiprocessing
import os
import pathlib
import pickle
from typing import Any

import pyarrow as pa
import ray
from calls import points
from table import CHEAPER, measure, row

import alloy


def same(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch


def same_pickled(data: bytes) -> bytes:
    return pickle.dumps(pickle.loads(data), protocol=5)


def measured(build: pathlib.Path, seconds: float) -> list[dict[str, Any]]:
    """Alloy runs score; the peers only return the batch, so they do less."""
    batch = points(nulls=True)
    # Ray would report its use over the network. Its workers must find this file.
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_ENABLE_UV_RUN_RUNTIME_ENV="0",
                      PYTHONPATH=str(pathlib.Path(__file__).parent))
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="error",
             object_store_memory=100_000_000)
    try:
        remote = ray.remote(same)
        context = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool, \
                alloy.open(build / "backends/score_cpp.so", f"@{build}/dev.crt",
                           isolated=True) as scores:
            times = measure(seconds, {
                "pool": lambda: pickle.loads(
                    pool.submit(same_pickled, pickle.dumps(batch, protocol=5)).result()),
                "ray": lambda: ray.get(remote.remote(batch)),
                "alloy": lambda: pa.record_batch(scores.score(batch))})
    finally:
        ray.shutdown()
    what = "score, isolated, pyarrow in and out"
    return [row("11", what, times["alloy"], "process pool, pickle 5", times["pool"], CHEAPER, 20),
            row("11", what, times["alloy"], "task of Ray", times["ray"], CHEAPER, 20)]
