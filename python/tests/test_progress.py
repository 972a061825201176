# SPDX-License-Identifier: MIT
"""Progress of calls and streams, and log lines for a callable."""

import gc
import io
import os
import pathlib
import subprocess
import sys
import threading
import time

import pyarrow as pa
import pytest
import rich.console
import rich.progress
import tqdm

import alloy

BUILD = pathlib.Path(os.environ["ALLOY_BUILD"])


def ints(*values):
    return pa.record_batch({"x": pa.array(values, pa.int64())})


@pytest.fixture
def logs(host):
    with alloy.open(BUILD / "backends/tests/logs.so", host=host) as bridge:
        yield bridge


def test_a_stream_reports_after_each_batch(logs):
    seen = []
    say = logs["pass"].using(progress=lambda done, total: seen.append((done, total)))
    with say.stream([ints(1), ints(2)]) as stream:
        assert stream.progress == (3, None)
        assert len(list(stream)) == 2
    assert seen == [(3, None)] * 3  # two batches and the end


def test_a_call_reports_while_it_runs(logs):
    seen, threads = [], set()

    def report(done, total):
        seen.append((done, total))
        threads.add(threading.current_thread().name)

    say = logs["say"].using(timeout=0.6, progress=report)
    assert len(say(ints())) == 0  # an empty batch runs until the time has passed
    assert seen == [(1, 2), (2, 2)]
    assert threads == {"alloy-progress", threading.current_thread().name}
    assert "alloy-progress" not in {t.name for t in threading.enumerate()}
    assert len(say(ints(1))) == 1


def test_columns_report_too(logs):
    seen = []
    say = logs["say"].using(timeout=0.4, progress=lambda *now: seen.append(now))
    assert len(say.columns(pa.array([], pa.int64()))) == 0
    assert seen == [(1, 2), (2, 2)]


def test_a_bar_of_tqdm(logs):
    out = io.StringIO()
    with tqdm.tqdm(file=out, mininterval=0, unit="part") as bar:
        logs["say"].using(timeout=0.4, progress=bar)(ints())
    assert (bar.n, bar.total) == (2, 2)
    assert "2/2" in out.getvalue() and "100%" in out.getvalue()
    with tqdm.tqdm(file=io.StringIO()) as bar:  # a stream whose end is not known
        list(logs["pass"].using(progress=bar).stream([ints(1)]))
    assert (bar.n, bar.total) == (3, None)


def test_a_task_of_rich(logs):
    with rich.progress.Progress(console=rich.console.Console(file=io.StringIO())) as display:
        task = display.add_task("say", total=None)
        other = display.add_task("another", total=5)
        logs["say"].using(timeout=0.4, progress=(display, task))(ints())
    done = {t.id: (t.completed, t.total) for t in display.tasks}
    assert done == {task: (2, 2), other: (0, 5)}


def test_a_failing_report_stops_the_call_and_is_raised(logs):
    failure = RuntimeError("no bar")

    def report(done, total):
        raise failure

    began = time.monotonic()
    with pytest.raises(RuntimeError) as caught:
        logs["say"].using(progress=report)(ints())
    assert caught.value is failure and time.monotonic() - began < 20


@pytest.mark.parametrize("wrong", [1, "bar", (1, 2), (lambda: 0,), object()])
def test_what_is_no_progress_is_a_type_error(logs, wrong):
    with pytest.raises(TypeError, match="progress must be"):
        logs["say"].using(progress=wrong)


def test_a_function_with_progress_is_still_a_function(logs):
    seen = []
    function = logs["say"].using(progress=lambda *now: seen.append(now))
    assert isinstance(function, alloy.Function) and function.name == "say"
    again = function.using(timeout=5)
    with pytest.raises(TypeError, match="progress"):
        again.__reduce__()
    again.using(timeout=0.4)(ints())
    assert seen == [(1, 2), (2, 2)]


def test_log_lines_arrive_at_a_callable_on_a_python_thread():
    lines, threads, main = [], set(), threading.get_ident()

    def log(line):
        lines.append(line)
        threads.add(threading.get_ident())

    host = alloy.Host(allow_unsigned=True, log=log, log_mode="always")
    with alloy.open(BUILD / "backends/tests/logs.so", host=host) as bridge:
        bridge.say(ints(1))
    host.info("from Python")
    end = time.monotonic() + 10
    while not any("from Python" in line for line in lines) and time.monotonic() < end:
        time.sleep(0.01)
    assert any("runs" in line for line in lines)
    assert any("[Python]" in line and line.endswith("from Python") for line in lines)
    assert len(threads) == 1 and main not in threads


def test_a_failing_callable_loses_only_its_line(capfd):
    lines = []

    def log(line):
        if "bad" in line:
            raise ValueError("cannot log")
        lines.append(line)

    host = alloy.Host(log=log)
    host.info("bad")
    host.info("good")
    end = time.monotonic() + 10
    while not lines and time.monotonic() < end:
        time.sleep(0.01)
    assert lines[0].endswith("good")
    assert "cannot log" in capfd.readouterr().err


def log_threads():
    return [t for t in threading.enumerate() if t.name == "alloy-log"]


def test_the_thread_and_the_pipe_end_with_the_last_user_of_the_host():
    gc.collect()
    end = time.monotonic() + 10
    while log_threads() and time.monotonic() < end:  # those of the tests before
        time.sleep(0.01)
    before, files = len(log_threads()), len(os.listdir("/proc/self/fd"))
    bridge = alloy.Bridge(alloy.Host(log=print, log_mode="never"))
    function = bridge.echo
    assert len(log_threads()) == before + 1
    del bridge
    gc.collect()
    assert len(function(ints(1))) == 1  # still may log
    del function
    gc.collect()
    end = time.monotonic() + 10
    while len(log_threads()) > before and time.monotonic() < end:
        time.sleep(0.01)
    assert len(log_threads()) == before
    assert len(os.listdir("/proc/self/fd")) <= files


def test_a_slow_callable_never_blocks_the_engine():
    stop = threading.Event()
    host = alloy.Host(log=lambda line: stop.wait(60))
    began = time.monotonic()
    for _ in range(3000):
        host.info("x" * 1000)  # 3 MB, more than the pipe has
    assert time.monotonic() - began < 20
    stop.set()


def test_the_last_lines_arrive_at_exit():
    done = subprocess.run(
        [sys.executable, "-c", "import alloy\nhost = alloy.Host(log=lambda l: print('got', l))"
         "\nfor i in range(1000): host.info(f'line {i}')"],
        capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1].endswith("line 999")
    assert len(done.stdout.splitlines()) == 1000 and done.stderr == ""
