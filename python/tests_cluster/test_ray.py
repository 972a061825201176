# SPDX-License-Identifier: MIT
"""Ray Data on two nodes. The library of the second one is another file under the same path."""

import ctypes
import json
import os
import pathlib
import platform
import re
import shlex
import shutil
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet
import pytest
import ray
from ray.cluster_utils import Cluster

import alloy
from conftest import CERTIFICATE, CRASH, SCORE, TRIES, copy_of, tamper

# A library that leaves a mark when any of it runs: what a tampered file must never do.
MARKER = pathlib.Path(os.environ["ALLOY_BUILD"]) / "backends/tests/marker.so"


class Nodes:
    """A head, and a second node with a mount of its own over one library."""

    def __init__(self, folder):
        self.library = copy_of(SCORE, folder)
        other = folder / "other"
        other.mkdir()
        self.other = copy_of(SCORE, other)
        tamper(self.other)
        self.cluster = Cluster(initialize_head=True, head_node_args={
            "num_cpus": 1, "resources": {"first": 1000}, "include_dashboard": False,
            "object_store_memory": 200 << 20})
        start = shlex.join([
            str(pathlib.Path(sys.executable).with_name("ray")), "start", "--block",
            f"--address={self.cluster.address}", "--num-cpus=1",
            '--resources={"second": 1000}', f"--object-store-memory={200 << 20}",
            "--disable-usage-stats"])
        mount = shlex.join(["mount", "--bind", str(self.other), str(self.library)])
        self.log = (folder / "second.log").open("w+")
        self.second = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", f"{mount} && exec {start}"],
            stdout=self.log, stderr=subprocess.STDOUT)
        ray.init(address=self.cluster.address, log_to_driver=False)
        deadline = time.monotonic() + 90
        while len([n for n in ray.nodes() if n["Alive"]]) < 2:
            assert self.second.poll() is None and time.monotonic() < deadline, (
                pathlib.Path(self.log.name).read_text())
            time.sleep(0.2)

    def close(self):
        ray.shutdown()
        self.second.terminate()
        try:
            self.second.wait(30)
        except subprocess.TimeoutExpired:
            self.second.kill()
            self.second.wait()
        self.cluster.shutdown()
        self.log.close()


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nodes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALLOY_TEST_MARKER", str(folder / "marker"))  # workers inherit it
        made = Nodes(folder)
        made.marker = folder / "marker"
        yield made
        made.close()


@pytest.fixture(autouse=True)
def configured(nodes):
    context = ray.data.DataContext.get_current()
    before = context.max_errored_blocks
    context.enable_progress_bars = False
    alloy.ray.configure()
    yield context
    context.max_errored_blocks = before


def points(rows, blocks):
    table = pa.table({"x": np.arange(rows) / 4, "y": np.arange(rows)})
    step = rows // blocks
    return ray.data.from_arrow([table.slice(i * step, step) for i in range(blocks)])


def expected(rows):
    return float(np.sum(np.arange(rows) / 4 * np.arange(rows)))


def test_a_thousand_blocks_on_two_nodes(nodes):
    stage = alloy.Stage(SCORE, "score", CERTIFICATE)

    def probe(data):
        made = stage(data)
        maps = pathlib.Path("/proc/self/maps").read_text().splitlines()
        loaded = {m.split()[4] for m in maps if "memfd:alloy-backend" in m}
        return made.append_column("pid", pa.array([os.getpid()] * len(made))).append_column(
            "loaded", pa.array([len(loaded)] * len(made))).append_column(
            "node", pa.array([ray.get_runtime_context().get_node_id()] * len(made)))

    made = points(10_000, 1000).map_batches(probe, batch_format="pyarrow").to_pandas()
    assert made.score.sum() == pytest.approx(expected(10_000))
    assert made.loaded.unique().tolist() == [1]  # in each worker, one library once
    assert made.node.nunique() == 2 and made.pid.nunique() >= 2


def test_the_user_code_of_tasks_and_of_actors(nodes):
    stage = alloy.Stage(SCORE, "score", certificate=CERTIFICATE, isolated=True)
    ds = points(400, 4)
    tasks = ds.map_batches(stage, batch_format="pyarrow").materialize()
    actors = ds.map_batches(alloy.ray.Actor, fn_constructor_args=(stage,),
                            batch_format="pyarrow",
                            compute=ray.data.ActorPoolStrategy(size=2))
    for made in (tasks, actors):
        assert made.sum("score") == pytest.approx(expected(400))


def test_a_tampered_node_is_refused_and_the_rest_is_right(nodes, configured):
    stage = alloy.Stage(nodes.library, "score", CERTIFICATE)
    ds = points(400, 8)
    bad = ds.map_batches(stage, batch_format="pyarrow", resources={"second": 1})
    with pytest.raises(alloy.RefusedError) as caught:
        bad.materialize()
    assert (caught.value.code, caught.value.reason) == ("REFUSED", "DIGEST")
    error = alloy.error_from(caught.value)
    assert type(error) is alloy.RefusedError
    assert (error.code, error.reason, error.side) == ("REFUSED", "DIGEST", "engine")
    assert platform.node() in str(error) and str(nodes.library) in str(error)
    good = ds.map_batches(stage, batch_format="pyarrow", resources={"first": 1})
    assert good.sum("score") == pytest.approx(expected(400))


def test_nothing_of_a_tampered_library_runs(nodes, host, tmp_path):
    # Without a signature, only the digest of the reference protects the workers. The file
    # that they find would leave a mark.
    library = tmp_path / "tries.so"
    shutil.copy(TRIES, library)
    stage = alloy.Stage(library, "try_it", host=host, options={"path": str(tmp_path / "x")})
    shutil.copy(MARKER, library)
    with pytest.raises(alloy.RefusedError, match="DIGEST"):
        points(40, 2).map_batches(stage, batch_format="pyarrow").materialize()
    assert not nodes.marker.exists()
    ctypes.CDLL(str(MARKER))  # what the test would have seen
    assert nodes.marker.exists()


@pytest.mark.parametrize("how, attempts", [("retry", 3), ("failed", 1)])
def test_what_may_succeed_later_is_tried_again(nodes, host, tmp_path, how, attempts):
    tries = tmp_path / "tries"
    stage = alloy.Stage(TRIES, "try_it", host=host,
                        options={"path": str(tries), "failures": 2, "how": how})
    ds = ray.data.from_arrow(pa.table({"x": [1, 2, 3]}))
    made = ds.map_batches(stage, batch_format="pyarrow")
    if how == "retry":
        assert made.sum("x") == 12
    else:
        with pytest.raises(alloy.BackendError, match="not this time"):
            made.materialize()
    assert len(tries.read_text()) == attempts


def test_a_crash_in_isolation_loses_one_block_and_no_ray_worker(nodes, host, configured):
    stage = alloy.Stage(CRASH, "act", host=host, isolated=True)

    def probe(data):
        return stage(data).append_column("ray", pa.array([os.getpid()] * len(data)))

    # Way 1 is a segmentation fault; 14 writes two lines, and aborts.
    for way, words in ((1, ("SIGSEGV", "act")), (14, ("SIGABRT", "act", "at line 3"))):
        ds = ray.data.from_arrow([pa.table({"x": [x, 5]}) for x in (0, way)])
        with pytest.raises(alloy.WorkerLostError) as caught:
            ds.map_batches(probe, batch_format="pyarrow").materialize()
        error = alloy.error_from(caught.value)
        assert error.code == "LOST" and error.side == "worker"
        assert all(word in str(error) for word in words)
    ways = [0, 0, 1, 0]
    configured.max_errored_blocks = 1
    ds = ray.data.from_arrow([pa.table({"x": [way, 5]}) for way in ways])
    made = ds.map_batches(probe, batch_format="pyarrow").to_pandas()
    assert sorted(made.x) == [0, 0, 0, 10, 10, 10]
    for pid in made.ray.unique():
        os.kill(int(pid), 0)  # it lives


def test_views_of_text_travel_outside_of_pytest(nodes, tmp_path):
    # Inside of pytest Ray refuses view types on purpose, so this is a driver of its own.
    driver = tmp_path / "driver.py"
    driver.write_text(f"""
import alloy, pyarrow as pa, ray
ray.init(address={nodes.cluster.address!r}, log_to_driver=False)
stage = alloy.Stage({str(SCORE)!r}, "score", {CERTIFICATE!r})
table = pa.table({{"s": pa.array(["a" * 20, None], pa.string_view()),
                  "x": [1.5, 2.0], "y": [2, 3]}})
ds = ray.data.from_arrow(table)
assert ds.map_batches(stage, batch_format="pyarrow").take_all() == [
    {{"score": 3.0}}, {{"score": 6.0}}]
print("right")
""")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    done = subprocess.run([sys.executable, driver], capture_output=True, text=True,
                          env=environment, timeout=120)
    assert done.returncode == 0 and re.search("^right$", done.stdout, re.M), done.stderr


GRAPH = """
[graph]
format = 1
certificate = "{build}/dev.crt"

[backend]
score = {{ library = "{score}" }}
rel = {{ library = "{build}/backends/aggregate_rust.so" }}
faulty = {{ library = "{build}/backends/tests/thund_faulty.so" }}

[source]
some = {{ csv = "in/*.csv", comma = ";", nulls = ["NA"], cast = {{ y = "int64" }}, schema = {{ kind = "utf8", y = "int32", x = "float64" }} }}
ids = {{ parquet = "ids.parquet", columns = ["id"] }}
more = {{ ipc = "ids.arrow", columns = ["id"], limit = 3 }}

[step.sum]
call = "rel.group_by"
from = "some"
options = {{ keys = "kind", aggregates = "count,sum(x) as total" }}
partition_by = ["kind"]

[step.product]
call = "score.score"
from = "some"
isolated = true
parallel = 2

[step.all]
union = true
from = ["ids", "more"]

[step.checked]
call = "faulty.refuse"
from = "all"
retries = 2
dead_letter = "bad"

[sink]
sums = {{ from = "sum", csv = "out/sum.csv" }}
products = {{ from = "product", parquet = "out/product.parquet" }}
kept = {{ from = "checked", ipc = "out/checked.arrow" }}
bad = {{ parquet = "out/bad.parquet" }}
"""


class Graph:
    """A folder with a graph of Thund and its data."""

    def __init__(self, folder, score):
        self.folder = folder
        text = GRAPH.format(build=pathlib.Path(SCORE).parent.parent, score=score)
        (folder / "graph.toml").write_text(text)
        (folder / "in").mkdir()
        for part in range(3):
            lines = [f"{'NA' if i % 50 == 0 else 'abc'[i % 3]};{i / 4};{i}"
                     for i in range(part * 500, part * 500 + 500)]
            (folder / f"in/{part}.csv").write_text("\n".join(["kind;x;y", *lines, ""]))
        ids = pa.table({"other": ["x"] * 1001, "id": np.arange(1001)})
        pyarrow.parquet.write_table(ids, folder / "ids.parquet")
        with pa.ipc.new_file(folder / "ids.arrow", ids.schema) as sink:
            sink.write(ids)

    def thund(self, *args):
        program = pathlib.Path(os.environ["ALLOY_BUILD"]) / "bin/thund"
        return subprocess.run([program, *args], cwd=self.folder, capture_output=True, text=True)

    def job(self, address):
        made = self.thund("ray", "graph.toml")
        assert made.returncode == 0, made.stderr
        (self.folder / "job.py").write_text(made.stdout)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
        return subprocess.run([sys.executable, "job.py"], cwd=self.folder, text=True,
                              capture_output=True, timeout=240,
                              env={**environment, "RAY_ADDRESS": address})

    def rows(self):
        """The rows of each sink, which are files of Thund or folders of Ray, in any order."""
        made = {}
        for path in (self.folder / "out").iterdir():
            if path.suffix == ".arrow":
                table = pa.ipc.open_file(path).read_all()
            elif path.suffix == ".csv":  # of each file alone, a type may be guessed wrongly
                names = sorted(path.iterdir()) if path.is_dir() else [path]
                types = pa.csv.ConvertOptions(column_types={
                    "kind": pa.string(), "total": pa.float64()})
                table = pa.concat_tables([pa.csv.read_csv(name, convert_options=types)
                                          for name in names])
            else:
                table = pyarrow.dataset.dataset(path).to_table()
            if "thund_batch" in table.column_names:
                table = table.drop_columns(["thund_batch", "thund_row"])  # of other batches
            made[path.name] = (table.schema.names, sorted(map(str, table.to_pylist())))
        shutil.rmtree(self.folder / "out")
        return made


def test_a_graph_of_thund_has_the_same_rows_on_two_nodes(nodes, tmp_path):
    graph = Graph(tmp_path, SCORE)
    run = graph.thund("run", "graph.toml")
    assert run.returncode == 4, run.stderr  # one id is refused
    expected = graph.rows()
    assert len(expected["product.parquet"][1]) == 1500
    assert len(expected["checked.arrow"][1]) == 1003 and len(expected["bad.parquet"][1]) == 1
    for _ in range(2):  # the second job replaces what the first has written
        done = graph.job(nodes.cluster.address)
        assert done.returncode == 4, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "rows": {"sums": 4, "products": 1500, "kept": 1003, "bad": 1}, "dead_letters": 1}
    assert graph.rows() == expected


def test_a_graph_of_thund_fails_on_a_tampered_node(nodes, tmp_path):
    # The head has the right library, and the second node another one under the same path.
    graph = Graph(tmp_path, nodes.library)
    text = (tmp_path / "graph.toml").read_text()
    (tmp_path / "graph.toml").write_text(text.replace("parallel = 2\n", ""))
    made = graph.thund("ray", "graph.toml").stdout
    held = made.replace("zero_copy_batch=True)", 'zero_copy_batch=True, resources={"second": 1})')
    assert held != made
    (tmp_path / "job.py").write_text(held)
    done = subprocess.run([sys.executable, "job.py"], cwd=tmp_path, text=True,
                          capture_output=True, timeout=240,
                          env={**os.environ, "RAY_ADDRESS": nodes.cluster.address})
    assert done.returncode == 1 and "[ALLOY REFUSED/DIGEST" in done.stderr, done.stderr
    assert platform.node() in done.stderr
