# SPDX-License-Identifier: MIT
"""Calls, streams, errors and cancels of the installed wheel."""

import hashlib
import multiprocessing
import os
import pathlib
import pickle
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import pyarrow as pa
import pytest

import alloy

BUILD = pathlib.Path(os.environ["ALLOY_BUILD"])
SCORE = BUILD / "backends/score_cpp.so"
CERTIFICATE = f"@{BUILD}/dev.crt"


def batch(rows=3):
    x = [1.5, 2.0, None] * (rows // 3)
    return pa.record_batch({"x": pa.array(x, pa.float64()),
                            "y": pa.array(range(rows), pa.int64())})


def ints(*values):
    return pa.record_batch({"x": pa.array(values, pa.int64())})


def test_the_package_comes_from_the_wheel():
    assert "site-packages" in alloy.__file__
    assert "pyarrow" not in subprocess.run(
        [sys.executable, "-c", "import alloy, sys; print(*sys.modules)"],
        check=True, capture_output=True, text=True).stdout.split()


def test_first_use(score):
    data = pa.record_batch({"x": [1.5, 2, None], "y": [10, 20, 30]})
    result = score.score(data)
    assert repr(result) == "{score: Float64[15.0, 40.0, null]}"
    assert pa.record_batch(result).to_pydict() == {"score": [15.0, 40.0, None]}
    assert result["score"].to_pylist() == [15.0, 40.0, None]
    assert len(result) == 3 and result.num_columns == 1
    with pytest.raises(KeyError):
        result["nothing"]


def test_a_result_goes_into_the_next_call_and_outlives_its_bridge(host):
    with alloy.Bridge(host) as bridge:
        echoed = bridge.echo(bridge.echo(batch()))
    assert pa.record_batch(echoed).equals(batch())
    with pytest.raises(alloy.ClosedError):
        bridge.echo(batch())


def test_a_table_is_run_chunk_by_chunk(score):
    table = pa.Table.from_batches([batch(3), batch(6)])
    result = score.score(table)
    assert isinstance(result, alloy.Batches) and [len(b) for b in result] == [3, 6]
    for _ in range(2):  # it can be read again
        assert pa.table(result).num_rows == 9


def test_the_echo_needs_no_library():
    done = subprocess.run([sys.executable, "-m", "alloy"], capture_output=True, text=True,
                          check=True, timeout=60)
    lines = done.stdout.splitlines()
    labels = [re.search(r"\] \[(Python|C\+\+)\]\t", line)[1] for line in lines]
    assert labels == 4 * ["Python"] + 4 * ["C++"] + 2 * ["Python"]
    assert "array1: Int32[1, 2, 3, -4]" in lines[5]
    assert lines[-1].endswith("Python counted 3 arrays sent through ffi")


def test_from_chunks_counts_arrays_of_any_types():
    arrays = [pa.array([1, 2, 3, -4], pa.int32()), pa.array(["a", None])]
    assert alloy.Bridge(alloy.Host(log_mode="never")).from_chunks(arrays) == 2


def test_errors_are_classes_with_fields(score):
    with pytest.raises(alloy.NoMatchError) as caught:
        score.score(pa.record_batch({"x": ["a"]}))
    assert isinstance(caught.value, TypeError) and caught.value.code == "NO_MATCH"
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is alloy.NoMatchError and str(again) == str(caught.value)
    wrapped = alloy.error_from(RuntimeError(f"engine says: {caught.value}"))
    assert type(wrapped) is alloy.NoMatchError
    assert alloy.error_from(RuntimeError("nothing")) is None
    with pytest.raises(alloy.InvalidError):
        score.score(batch(), no_such_option=1)
    with pytest.raises(alloy.NotFoundError):
        score["no_such_function"]
    with pytest.raises(AttributeError):
        score.no_such_function
    with pytest.raises(TypeError, match="int"):
        score.score(1)
    with pytest.raises(alloy.InvalidError, match="not a batch"):
        score.score(pa.array([1]))


def test_a_failed_load_stays_until_a_load_succeeds(score, tmp_path):
    other = tmp_path / "changed.so"
    shutil.copy(SCORE, other)
    shutil.copy(f"{SCORE}.alloysig", f"{other}.alloysig")
    with other.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\xff")
    function = score.score
    for _ in range(2):
        with pytest.raises(alloy.RefusedError) as caught:
            score.set_impl_lib(other, CERTIFICATE)
        assert caught.value.reason == "DIGEST"
        with pytest.raises(alloy.RefusedError):
            function(batch())
    score.set_impl_lib(SCORE, CERTIFICATE)
    assert len(score.score(batch())) == 3 and len(function(batch())) == 3


@pytest.fixture
def other_certificate(tmp_path):
    """Of somebody who has signed nothing here."""
    subprocess.run([BUILD / "bin/arrowalloy", "keygen", "-q", "--out", tmp_path / "other"],
                   check=True)
    return f"@{tmp_path}/other.crt"


@pytest.mark.parametrize("isolated", [False, True])
def test_a_certificate_of_another_is_refused_until_a_load_succeeds(other_certificate, isolated):
    with pytest.raises(alloy.RefusedError) as caught:
        alloy.open(SCORE, other_certificate, isolated=isolated)
    assert (caught.value.reason, caught.value.side) == ("CERTIFICATE_UNTRUSTED", "engine")
    with alloy.Bridge(alloy.Host(log_mode="never"), isolated=isolated) as bridge:
        echo = bridge.echo
        with pytest.raises(alloy.RefusedError):
            bridge.set_impl_lib(SCORE, other_certificate)
        for use in (lambda: echo(batch()), lambda: bridge["score"], lambda: bridge.echo,
                    lambda: bridge.from_chunks([pa.array([1])])):
            with pytest.raises(alloy.RefusedError) as caught:
                use()
            assert caught.value.reason == "CERTIFICATE_UNTRUSTED"
        bridge.set_impl_lib(SCORE, CERTIFICATE)
        assert len(bridge.score(batch())) == 3


def test_the_same_function_runs_in_a_worker():
    with alloy.open(SCORE, CERTIFICATE, isolated=True) as bridge:
        assert bridge.isolated and bridge.name == "acme.score"
        assert bridge.score(batch())["score"].to_pylist() == [0.0, 2.0, None]


def test_a_worker_that_never_binds_ends_after_its_setup(host):
    loops = "5"  # tests/isolated/ways.h
    with alloy.open(BUILD / "backends/tests/crash.so", host=host, isolated=True,
                    limits=alloy.Limits(setup=2)) as bridge:
        with pytest.raises(alloy.WorkerLostError, match="did not answer within 2 s"):
            bridge.act(ints(0), bind=loops)
        assert bridge.act(ints(0, 1))["x"].to_pylist() == [0, 2]


def test_a_digest_is_compared_and_the_loaded_bytes_are_described(score):
    digest = hashlib.sha256(SCORE.read_bytes()).hexdigest()
    assert score.sha256 == digest and score.signer["subject"]
    assert alloy.open(SCORE, CERTIFICATE, sha256=digest).name == "acme.score"
    with pytest.raises(alloy.RefusedError) as caught:
        alloy.open(SCORE, CERTIFICATE, sha256="1" * 64)
    assert caught.value.reason == "DIGEST"
    with pytest.raises(alloy.RefusedError) as caught:
        alloy.open(SCORE)
    assert caught.value.reason == "UNSIGNED"
    assert alloy.inspect(SCORE, CERTIFICATE)["verdict"]["ok"]


def test_streams_are_lazy_and_read_once(streams):
    read = []

    def source():
        for i in range(3):
            read.append(i)
            yield ints(i)

    stream = streams["pass"].using(schema=ints(0).schema).stream(source())
    assert read == []
    assert pa.record_batch(next(stream)).to_pydict() == {"x": [0]}
    assert read == [0]
    assert pa.table(stream).to_pydict() == {"x": [1, 2]}
    with pytest.raises(alloy.ClosedError):
        pa.table(stream)
    with pytest.raises(alloy.ClosedError):
        next(stream)


def test_a_generator_raises_the_same_object(streams):
    failure = FileNotFoundError("gone")

    def source():
        yield ints(1)
        raise failure

    for name in ("pass", "count"):  # count takes an error for an end
        with pytest.raises(FileNotFoundError) as caught:
            list(streams[name].stream(source()))
        assert caught.value is failure


def test_batches_of_an_iterable_have_one_schema(streams):
    with pytest.raises(alloy.BadDataError, match="another schema"):
        list(streams["pass"].stream(iter([ints(1), batch()])))
    with pytest.raises(alloy.InvalidError, match="using"):
        streams["pass"].stream(iter([]))


def test_a_requested_schema_of_another_width_is_refused(score):
    result = score.score(batch())
    capsule = batch().schema.__arrow_c_schema__()
    with pytest.raises(ValueError, match="2 columns"):
        result.__arrow_c_array__(capsule)
    with pytest.raises(ValueError, match="2 columns"):
        result.__arrow_c_stream__(requested_schema=capsule)
    assert score["score"].output(batch().schema) == result.schema


def test_a_capsule_is_used_once(score):
    pair = batch().__arrow_c_array__()
    assert len(score.score(pair)) == 3
    with pytest.raises(ValueError, match="released"):
        score.score(pair)


def test_data_does_not_pickle(score):
    with pytest.raises(TypeError, match="record_batch"):
        pickle.dumps(score.score(batch()))


SPIN = """
import alloy, sys
host = alloy.Host(allow_unsigned=True, log_mode="never")
then = alloy.open(sys.argv[1], host=host)["then"]
stream = then.stream(what="wait")
next(stream)
print("waiting", flush=True)
next(stream)
"""


def test_ctrl_c_stops_a_call():
    process = subprocess.Popen(
        [sys.executable, "-c", SPIN, str(BUILD / "backends/tests/streams.so")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT and "KeyboardInterrupt" in errors


def test_cancel_and_deadline_of_a_stream(streams):
    then = streams["then"]
    stream = then.stream(what="wait")
    next(stream)
    threading.Timer(0.2, then.cancel).start()
    with pytest.raises(alloy.CancelledError):
        next(stream)
    stream = then.using(timeout=0.05).stream(what="wait")
    next(stream)
    with pytest.raises(alloy.DeadlineError):
        next(stream)


def test_threads_share_a_function(score):
    failures = []

    def run():
        try:
            for _ in range(300):
                assert score.score(batch())["score"].to_pylist() == [0.0, 2.0, None]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []


def _score_in_child(queue):
    with alloy.open(SCORE, CERTIFICATE) as bridge:
        queue.put(bridge.score(batch())["score"].to_pylist())


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_child_processes(score, method):
    score.score(batch())
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    child = context.Process(target=_score_in_child, args=(queue,))
    child.start()
    assert queue.get(timeout=60) == [0.0, 2.0, None]
    child.join(60)
    assert child.exitcode == 0


def test_a_stream_does_not_cross_a_fork(streams):
    stream = streams["pass"].stream(iter([ints(1), ints(2)]))
    next(stream)
    pid = os.fork()
    if pid == 0:
        try:
            next(stream)
        except alloy.ClosedError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert pa.record_batch(next(stream)).to_pydict() == {"x": [2]}


def test_memory_returns_to_where_it_was(score):
    before = pa.total_allocated_bytes()
    for _ in range(100):
        score.score(pa.Table.from_batches([batch(300)]))
    deadline = time.monotonic() + 5
    while pa.total_allocated_bytes() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert pa.total_allocated_bytes() <= before
