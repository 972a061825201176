# SPDX-License-Identifier: MIT
"""Signals, forks, ends and interpreters: nothing hangs, and nothing crashes."""

import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pyarrow as pa
import pytest

import alloy

BUILD = pathlib.Path(os.environ["ALLOY_BUILD"])
BACKENDS = BUILD / "backends/tests"

# Each program prints what it waits for, and ends in a bounded time.
BEGIN = """
import os, sys, threading, time
import alloy
import pyarrow as pa
host = alloy.Host(allow_unsigned=True, log_mode="never")
ISOLATED = sys.argv[2] == "isolated"
def backend(name):
    return alloy.open(f"{sys.argv[1]}/{name}.so", host=host, isolated=ISOLATED,
                      limits=alloy.Limits(max_workers=4))
batch = pa.record_batch({"x": pa.array([1], pa.int64())})
empty = batch.slice(0, 0)
"""
MODES = pytest.mark.parametrize("mode", ["in process", "isolated"])


def start(program, mode="in process", *options):
    return subprocess.Popen(
        [sys.executable, "-X", "dev", *options, "-c", BEGIN + textwrap.dedent(program),
         str(BACKENDS), mode],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process, timeout=60):
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        pytest.fail(f"the program hangs: {process.communicate()}")
    return output, errors


@MODES
def test_ctrl_c_stops_an_eager_call(mode):
    process = start("""
        say = backend("logs").say
        print("runs", flush=True)
        try:
            say(empty)  # runs until it is stopped
        except KeyboardInterrupt:
            print("stopped", flush=True)
            raise
        """, mode)
    assert process.stdout.readline() == "runs\n"
    time.sleep(0.7)  # until the call has begun
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, errors = finish(process)
    assert "KeyboardInterrupt" in errors and "Fatal" not in errors
    assert process.returncode == -signal.SIGINT
    assert time.monotonic() - began < 20


@MODES
def test_a_shell_sees_130_and_the_backend_has_stopped(mode):
    """`timeout` sends the signal after a second, as somebody at a terminal does."""
    program = BEGIN + textwrap.dedent("""
        say = backend("logs").say.using(progress=lambda done, total: print(done, flush=True))
        try:
            say(empty)
        except KeyboardInterrupt:
            print("stopped", flush=True)
            raise
        """)
    for seconds in (1, 2, 4, 8, 16):  # a busy machine needs more until the function runs
        began = time.monotonic()
        done = subprocess.run(
            ["timeout", "--preserve-status", "-s", "INT", str(seconds), sys.executable, "-c",
             program, str(BACKENDS), mode], capture_output=True, text=True, timeout=90)
        took = time.monotonic() - began
        if done.stdout.startswith("1"):  # the function has begun
            break
    assert done.returncode == 130 and "KeyboardInterrupt" in done.stderr, done
    # Its last report is 1 of 2: after a cancel nothing of it runs on.
    assert done.stdout == "1\nstopped\n"
    assert took - seconds < 5


@MODES
def test_ctrl_c_takes_effect_at_once(mode):
    """From the signal to the exception, in the process itself."""
    process = start("""
        import signal
        say = backend("logs").say
        say(batch)
        def interrupt():
            time.sleep(0.5)
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)
        took = []
        for _ in range(5):
            sent = []
            thread = threading.Thread(target=interrupt)
            thread.start()
            try:
                say(empty)
            except KeyboardInterrupt:
                took.append(time.monotonic() - sent[0])
            thread.join()
        print(len(took), min(took))
        """, mode)
    output, errors = finish(process)
    count, least = output.split()
    assert count == "5" and float(least) < 0.1, (output, errors)


@MODES
def test_ctrl_c_stops_a_stream(mode):
    process = start("""
        stream = backend("streams")["then"].stream(what="wait")
        next(stream)
        print("waits", flush=True)
        next(stream)
        """, mode)
    assert process.stdout.readline() == "waits\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, errors = finish(process)
    assert process.returncode == -signal.SIGINT and "KeyboardInterrupt" in errors


def test_ctrl_c_reaches_a_handler_of_the_user():
    process = start("""
        import signal
        def handler(number, frame):
            raise SystemExit(42)
        signal.signal(signal.SIGINT, handler)
        stream = backend("streams")["then"].stream(what="wait")
        next(stream)
        print("waits", flush=True)
        next(stream)
        """)
    assert process.stdout.readline() == "waits\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    finish(process)
    assert process.returncode == 42


@MODES
def test_the_gil_is_free_while_a_call_runs(mode):
    host = alloy.Host(allow_unsigned=True, log_mode="never")
    with alloy.open(BACKENDS / "logs.so", host=host, isolated=mode == "isolated") as bridge:
        empty = pa.record_batch({"x": pa.array([], pa.int64())})
        bridge.say(pa.record_batch({"x": pa.array([1], pa.int64())}))
        say, steps, ended = bridge.say.using(timeout=0.5), 0, threading.Event()

        def run():
            try:
                say(empty)
            except alloy.AlloyError:
                pass
            ended.set()

        thread = threading.Thread(target=run)
        thread.start()
        while not ended.wait(0.001):
            steps += 1
        thread.join()
    assert steps > 50


@MODES
def test_the_interpreter_ends_while_a_call_runs(mode):
    process = start("""
        say = backend("logs").say
        entered = threading.Event()
        def run():
            entered.set()
            say(empty)
        threading.Thread(target=run, daemon=True).start()
        entered.wait()
        time.sleep(0.5)
        print("ends", flush=True)
        """, mode)
    output, errors = finish(process)
    assert output == "ends\n" and process.returncode == 0, errors
    assert "Fatal" not in errors and "Traceback" not in errors


@MODES
def test_the_interpreter_ends_with_open_streams_and_results(mode):
    process = start("""
        def endless():
            while True:
                yield batch
        bridge = backend("streams")
        stream = bridge["pass"].stream(endless())
        kept = [next(stream) for _ in range(3)]
        reader = pa.RecordBatchReader.from_stream(bridge["pass"].stream(endless()))
        reader.read_next_batch()
        sys.kept = stream, kept, reader, bridge  # released after the module
        print("ends", flush=True)
        """, mode)
    output, errors = finish(process)
    assert output == "ends\n" and process.returncode == 0, errors
    assert errors == ""


def test_a_forked_child_uses_the_bridge_of_its_parent():
    process = start("""
        say = backend("logs").say
        assert len(say(batch)) == 1
        for _ in range(20):
            child = os.fork()
            if child == 0:
                os._exit(0 if len(say(batch)) == 1 else 9)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert len(say(batch)) == 1
        print("well")
        """)
    output, errors = finish(process)
    assert output == "well\n", errors


def test_a_forked_child_has_no_workers_and_says_so():
    process = start("""
        say = backend("logs").say
        assert len(say(batch)) == 1
        child = os.fork()
        if child == 0:
            try:
                say(batch)
            except alloy.ClosedError as error:
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert len(say(batch)) == 1
        print("well")
        """, "isolated")
    output, errors = finish(process)
    assert output == "well\n", errors


def test_a_fork_while_other_threads_call():
    process = start("""
        say = backend("logs").say
        stop = threading.Event()
        def run():
            while not stop.is_set():
                say(batch)
        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads: thread.start()
        for _ in range(20):
            child = os.fork()
            if child == 0:
                os._exit(0 if len(say(batch)) == 1 else 9)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        stop.set()
        for thread in threads: thread.join()
        print("well")
        """)
    output, errors = finish(process)
    assert output == "well\n", errors


INTERPRETERS = """
import threading
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
code = '''
import alloy
from alloy import _alloy
bridge = alloy.Bridge(alloy.Host(log_mode="never"))
for i in range(200):
    assert bridge.echo.columns(_alloy.int32([i, 2])).to_pylist() == [i, 2]
'''
failures = []
def run():
    one = interpreters.create()
    failed = interpreters.run_string(one, code)
    if failed is not None: failures.append(failed)
    interpreters.destroy(one)
threads = [threading.Thread(target=run) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert failures == [], failures
import alloy
from alloy import _alloy
assert alloy.Bridge(alloy.Host(log_mode="never")).echo.columns(
    _alloy.int32([1])).to_pylist() == [1]
print("well")
"""


def test_three_interpreters_at_once():
    done = subprocess.run([sys.executable, "-c", INTERPRETERS], capture_output=True,
                          text=True, timeout=120)
    assert done.stdout == "well\n" and done.returncode == 0, done.stderr


def test_the_import_loads_no_module_that_interpreters_cannot_share():
    done = subprocess.run(
        [sys.executable, "-c", "import alloy, sys; print(*sys.modules, sep='\\n')"],
        capture_output=True, text=True, timeout=60, check=True)
    assert "alloy._alloy" in done.stdout and "_datetime" not in done.stdout.splitlines()


def test_a_result_is_released_on_any_thread_and_after_the_bridge(host):
    for _ in range(50):
        bridge = alloy.Bridge(host)
        result = bridge.echo(pa.record_batch({"s": pa.array(["x"] * 100)}))
        bridge.close()
        held = [pa.record_batch(result)]
        del bridge, result
        thread = threading.Thread(target=held.clear)
        thread.start()
        thread.join()


@MODES
@pytest.mark.parametrize("use", ["say(batch)", "list(say.stream([batch]))",
                                 "list(copy.stream(batch for _ in range(3)))"])
def test_calls_that_return_while_the_interpreter_ends(mode, use):
    process = start(f"""
        say, copy = backend("logs").say, backend("streams")["pass"]
        class Last:
            def __del__(self, sleep=time.sleep):
                sleep(0.3)  # without the GIL, while the interpreter ends
        sys.last = Last()
        def run():
            while True:
                {use}
        for _ in range(3):
            threading.Thread(target=run, daemon=True).start()
        time.sleep(0.3)
        print("ends", flush=True)
        """, mode)
    output, errors = finish(process)
    assert output == "ends\n" and process.returncode == 0, (process.returncode, errors)
    assert errors == ""
