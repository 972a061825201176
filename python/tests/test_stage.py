# SPDX-License-Identifier: MIT
"""Functions that travel: pickled by reference, found and verified where they are used."""

import hashlib
import multiprocessing
import os
import pathlib
import pickle
import platform
import shutil
import subprocess
import sys
import textwrap
import threading

import pyarrow as pa
import pytest

import alloy
from alloy import _reference

BUILD = pathlib.Path(os.environ["ALLOY_BUILD"])
SCORE = BUILD / "backends/score_cpp.so"
STREAMS = BUILD / "backends/tests/streams.so"
CERTIFICATE = f"@{BUILD}/dev.crt"
BATCH = pa.record_batch({"x": [1.5, 2.0, None], "y": [10, 20, 30]})
SCORES = [15.0, 40.0, None]


@pytest.fixture
def copy(tmp_path):
    """A copy of the library that a test may change, with its sidecar."""
    path = tmp_path / "score_cpp.so"
    shutil.copy(SCORE, path)
    shutil.copy(f"{SCORE}.alloysig", f"{path}.alloysig")
    return path


def tamper(path):
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\xff")


def elsewhere(stage, data=BATCH, cwd=None, path=()):
    """What a new process gives for a stage: a result, or the error."""
    program = textwrap.dedent("""
        import pickle, sys
        stage, data = pickle.load(sys.stdin.buffer)
        try:
            made = stage(data)
        except Exception as error:
            made = error
        sys.stdout.buffer.write(pickle.dumps(made))""")
    done = subprocess.run(
        [sys.executable, "-c", program], input=pickle.dumps((stage, data)), cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
        capture_output=True, check=True, timeout=120)
    return pickle.loads(done.stdout)


def test_a_stage_is_a_reference_of_names_and_digests():
    stage = alloy.Stage(SCORE, "score", CERTIFICATE)
    text = pickle.dumps(stage)
    assert hashlib.sha256(SCORE.read_bytes()).hexdigest().encode() in text
    assert len(text) < 2000 and b"\x7fELF" not in text
    again = pickle.loads(text)
    assert again(BATCH).to_pydict() == {"score": SCORES}
    assert repr(again) == "<alloy.Stage score of acme.score 0.1.0>"
    assert pickle.dumps(again) == text


def test_the_constructor_verifies(copy):
    with pytest.raises(alloy.RefusedError) as caught:
        alloy.Stage(SCORE, "score")
    assert caught.value.reason == "UNSIGNED"
    with pytest.raises(alloy.RefusedError) as caught:
        alloy.Stage(SCORE, "score", CERTIFICATE, sha256="0" * 64)
    assert caught.value.reason == "DIGEST" and "0" * 64 in str(caught.value)
    with pytest.raises(alloy.NotFoundError):
        alloy.Stage(SCORE, "nothing", CERTIFICATE)
    with pytest.raises(alloy.InvalidError, match="no option 'speed'"):
        alloy.Stage(SCORE, "score", CERTIFICATE, options={"speed": 1})
    with pytest.raises(alloy.InvalidError, match="is acme.score, not acme.other"):
        alloy.Stage(SCORE, "score", CERTIFICATE, name="acme.other")
    tamper(copy)
    with pytest.raises(alloy.RefusedError) as caught:
        alloy.Stage(copy, "score", CERTIFICATE)
    assert caught.value.reason == "DIGEST"


def test_tables_come_back_as_what_they_were():
    stage = alloy.Stage(SCORE, "score", CERTIFICATE)
    table = pa.Table.from_batches([BATCH, BATCH])
    assert type(stage(BATCH)) is pa.RecordBatch
    made = stage(table)
    assert type(made) is pa.Table and made["score"].num_chunks == 2
    assert stage(table.schema.empty_table()).schema == made.schema
    reader = stage(table.to_reader())
    assert isinstance(reader, pa.RecordBatchReader) and reader.read_all() == made
    ours = alloy.Bridge(alloy.Host(log_mode="never")).echo(BATCH)
    assert type(stage(ours)) is alloy.Batch
    for wrong in ({"x": [1]}, [1], None):
        with pytest.raises(TypeError, match="pyarrow, polars or pandas"):
            stage(wrong)
    with pytest.raises(TypeError, match="batch_format='pyarrow'"):
        stage({"x": [1]})


def test_batches_runs_a_map_function_on_each_and_a_stream_function_on_all(host):
    stage = alloy.Stage(SCORE, "score", CERTIFICATE)
    made = list(stage.batches(iter([BATCH, BATCH])))
    assert [type(b) for b in made] == [pa.RecordBatch] * 2
    assert made[1].to_pydict() == {"score": SCORES}
    assert list(stage.batches(iter([]))) == []
    count = alloy.Stage(STREAMS, "count", host=host)
    three = [pa.record_batch({"x": [1, 2]})] * 3
    whole = list(count.batches(iter(three)))
    assert whole == [count(pa.Table.from_batches(three)).to_batches()[0]]
    assert list(count.batches(iter([]))) == []
    # A stream function on one batch gives one batch.
    assert type(count(three[0])) is pa.RecordBatch


def test_output_runs_nothing_and_columns_need_no_table():
    stage = alloy.Stage(SCORE, "score", CERTIFICATE)
    assert pa.schema(stage.output(BATCH.schema)) == stage(BATCH).schema
    assert stage.columns(BATCH["x"], BATCH["y"]).to_pylist() == SCORES
    with pytest.raises(alloy.NoMatchError):
        stage.output(pa.schema({"x": pa.string()}))


def test_options_travel(host):
    stage = alloy.Stage(STREAMS, "then", host=host, options={"what": "end"})
    assert stage._options == pickle.loads(pickle.dumps(stage))._options == {"what": "end"}
    function = alloy.open(STREAMS, host=host)["then"]
    assert pickle.loads(pickle.dumps(function.stage(what="end")))._options == {"what": "end"}


def test_another_process_opens_its_own_copy(host):
    for isolated in (False, True):
        stage = alloy.Stage(SCORE, "score", CERTIFICATE, isolated=isolated)
        assert elsewhere(stage).to_pydict() == {"score": SCORES}
    # The policy of the host travels, so a library without a signature works as it does here.
    unsigned = alloy.Stage(STREAMS, "pass", host=host)
    assert elsewhere(unsigned, pa.record_batch({"x": [1]})).to_pydict() == {"x": [1]}


def test_a_function_travels_with_its_time_limit(score):
    function = pickle.loads(pickle.dumps(score.score.using(timeout=7.0)))
    assert function._timeout == 7.0 and function(BATCH)["score"].to_pylist() == SCORES
    stage = pickle.loads(pickle.dumps(function.stage()))
    assert stage._function._timeout == 7.0 and stage(BATCH).to_pydict() == {"score": SCORES}
    assert pickle.loads(pickle.dumps(score.score.stage()))(BATCH).to_pydict() == {
        "score": SCORES}
    with pytest.raises(TypeError, match="schema"):
        pickle.dumps(score.score.using(schema=BATCH.schema))
    with pytest.raises(TypeError, match="schema"):
        score.score.using(schema=BATCH.schema).stage()
    with pytest.raises(TypeError, match="built-in echo"):
        pickle.dumps(alloy.Bridge().echo)
    with pytest.raises(TypeError, match="built-in echo"):
        alloy.Bridge().echo.stage()


def test_a_tampered_copy_is_refused_and_runs_nothing(copy):
    stage = alloy.Stage(copy, "score", CERTIFICATE)
    tamper(copy)
    error = elsewhere(stage, cwd="/")
    assert type(error) is alloy.RefusedError and error.reason == "DIGEST"
    assert platform.node() in str(error) and str(copy) in str(error)
    # This process has the good bytes, and goes on with them.
    assert stage(BATCH).to_pydict() == {"score": SCORES}


def test_a_missing_copy_says_where_it_must_be(copy):
    stage = alloy.Stage(copy, "score", CERTIFICATE)
    copy.unlink()
    error = elsewhere(stage, cwd="/")
    assert type(error) is alloy.RefusedError and error.reason == "CANNOT_OPEN"
    for word in (platform.node(), str(copy), "no such file", "acme.score", "Put the library"):
        assert word in str(error)
    assert alloy.error_from(RuntimeError(f"engine: {error}")).text == error.text


def test_another_signer_is_refused(copy):
    stage = alloy.Stage(copy, "score", CERTIFICATE)
    reference = stage._reference
    object.__setattr__(reference, "signer", "1" * 64)
    error = elsewhere(stage, cwd="/")
    assert type(error) is alloy.RefusedError and error.reason == "CERTIFICATE_UNTRUSTED"


def test_a_bad_copy_is_passed_over_for_a_good_one(copy, tmp_path):
    stage = alloy.Stage(copy, "score", CERTIFICATE)
    job = tmp_path / "job"
    job.mkdir()
    for suffix in ("", ".alloysig"):
        shutil.copy(f"{copy}{suffix}", job)
    tamper(copy)
    assert elsewhere(stage, cwd=job).to_pydict() == {"score": SCORES}
    copy.unlink()
    assert elsewhere(stage, cwd=job).to_pydict() == {"score": SCORES}


def test_a_package_brings_a_library(copy, tmp_path, monkeypatch):
    site = tmp_path / "site"
    info = site / "acme_score-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-score\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[arrowalloy.backends]\nacme = acme_score\n")
    package = site / "acme_score"
    package.mkdir()
    # Its code does not run.
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    for suffix in ("", ".alloysig"):
        shutil.move(f"{copy}{suffix}", package)
    monkeypatch.syspath_prepend(site)
    stage = alloy.Stage("score_cpp.so", "score", CERTIFICATE, package="acme")
    assert stage._reference.path == str(package / "score_cpp.so")
    with pytest.raises(alloy.RefusedError) as caught:
        alloy.Stage("score_cpp.so", "score", CERTIFICATE, package="other")
    assert caught.value.reason == "CANNOT_OPEN"
    moved = tmp_path / "moved"
    site.rename(moved)
    assert elsewhere(stage, cwd="/", path=[moved]).to_pydict() == {"score": SCORES}


def test_a_process_opens_a_library_once():
    stages = [alloy.Stage(SCORE, "score", CERTIFICATE) for _ in range(3)]
    bridges = {id(_reference.bridge_of(s._reference)) for s in stages}
    assert len(bridges) == 1
    fresh = textwrap.dedent("""
        import pickle, sys, threading
        stages, data = pickle.load(sys.stdin.buffer)
        threads = [threading.Thread(target=s, args=(data,)) for s in stages * 3]
        for t in threads: t.start()
        for t in threads: t.join()
        maps = open("/proc/self/maps").read().splitlines()
        print(len({m.split()[4] for m in maps if "memfd:alloy-backend" in m}))""")
    done = subprocess.run([sys.executable, "-c", fresh], input=pickle.dumps((stages, BATCH)),
                          capture_output=True, check=True, timeout=120)
    assert done.stdout == b"1\n"


def _in_pool(stage):
    return stage(BATCH).to_pydict()


@pytest.mark.parametrize("isolated", [False, True])
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_pools_of_processes(method, isolated):
    stage = alloy.Stage(SCORE, "score", CERTIFICATE, isolated=isolated)
    assert stage(BATCH).to_pydict() == {"score": SCORES}  # so that a fork inherits it open
    with multiprocessing.get_context(method).Pool(2) as pool:
        made = pool.map_async(_in_pool, [stage] * 8).get(timeout=120)
    assert made == [{"score": SCORES}] * 8
    assert stage(BATCH).to_pydict() == {"score": SCORES}


def test_a_fork_while_another_thread_opens(score):
    stage = pickle.loads(pickle.dumps(score.score.stage()))
    with _reference._lock:
        thread = threading.Thread(target=stage, args=(BATCH,))
        pid = os.fork()
        if pid == 0:
            try:
                _reference._bridges.clear()
                os._exit(0 if stage(BATCH).to_pydict() == {"score": SCORES} else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        thread.start()
    thread.join(60)


def test_errors_travel_with_their_fields():
    error = alloy.BadDataError("offsets decrease at row 17", reason="OFFSETS", input=0,
                               column=3, side="backend", retryable=True)
    for again in (pickle.loads(pickle.dumps(error)), pickle.loads(pickle.dumps(error, 2))):
        assert type(again) is alloy.BadDataError
        assert vars(again) == {**vars(error), "code": "BAD_DATA"}
        assert str(again) == (
            "[ALLOY BAD_DATA/OFFSETS backend input=0 column=3] offsets decrease at row 17")
