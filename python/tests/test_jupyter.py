# SPDX-License-Identifier: MIT
"""A notebook's button "interrupt" ends a call, over the protocol of Jupyter's kernels."""

import os
import pathlib
import time

import pytest
from jupyter_client.manager import KernelManager

BACKENDS = pathlib.Path(os.environ["ALLOY_BUILD"]) / "backends/tests"
CELL = """
import alloy
import pyarrow as pa
host = alloy.Host(allow_unsigned=True, log_mode="never")
logs = alloy.open("{library}", host=host, isolated={isolated})
say = logs.say.using(progress=lambda done, total: print("runs", flush=True))
say(pa.record_batch({{"x": pa.array([], pa.int64())}}))  # until it is stopped
"""


@pytest.fixture
def kernel(tmp_path):
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env={**os.environ, "IPYTHONDIR": str(tmp_path)}, cwd=tmp_path)
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("isolated", [False, True], ids=["in process", "isolated"])
def test_an_interrupt_ends_the_call_and_not_the_kernel(kernel, isolated):
    manager, client = kernel
    cell = client.execute(CELL.format(library=BACKENDS / "logs.so", isolated=isolated))
    while True:
        said = client.get_iopub_msg(timeout=60)
        assert said["msg_type"] != "error", said["content"]["evalue"]
        if said["msg_type"] == "stream" and "runs" in said["content"]["text"]:
            break
    began = time.monotonic()
    manager.interrupt_kernel()
    answer = client.get_shell_msg(timeout=60)
    assert answer["parent_header"]["msg_id"] == cell
    assert answer["content"]["ename"] == "KeyboardInterrupt"
    assert time.monotonic() - began < 5  # 0.1 s on a quiet machine
    again = client.execute_interactive("print(logs.name)", timeout=60)
    assert again["content"]["status"] == "ok"
