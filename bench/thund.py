#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Thund beside Go channels, dora-rs, Bytewax and DuckDB, all in one run and in turn.

    .venv/bin/python bench/thund.py [--runs 5] [--scale 1] [--peers build/bench/thund] [ROW ...]

It takes what `tools/test thund tpch` builds. Peers come from a venv of their own:

    python3 -m venv build/bench/thund
    build/bench/thund/bin/pip install bytewax==0.21.1 dora-rs==1.1.0 dora-rs-cli==1.1.0 \
        duckdb pyarrow

A peer that is not there is in the table as not run. Times are medians of the runs, from the
first batch to the last one (1, 2, 3, 5) or of whole processes (4, 6).
"""

import argparse
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests/tpch"), str(ROOT / "bench")]

from lineitem import BUILD, QUERIES, lineitem  # noqa: E402
from tpch import measure  # noqa: E402

RUST = BUILD / "backends/aggregate_rust.so"
MIB = 131072  # rows of a batch of 1 MiB

GRAPH = """
[graph]
format = 1
certificate = "{build}/dev.crt"
[backend]
rel = {{ library = "{build}/backends/aggregate_rust.so" }}
[step.make]
go = "make"
from = []
[step.km]
call = "rel.scale"
from = "make"
options = {{ column = "distance", factor = "1.609344" }}
{keys}
[step.drop]
go = "drop"
from = "km"
[sink]
none = {{ from = "drop", csv = "none.csv" }}
"""

TPCH = """
[graph]
format = 1
certificate = "{build}/dev.crt"
[backend]
tpch = {{ library = "{build}/backends/tpch_rust.so" }}
[source]
lineitem = {{ parquet = "{file}" }}
[step.query]
call = "tpch.{query}"
from = "lineitem"
[sink]
out = {{ from = "query", csv = "{query}.csv" }}
"""

DORA = """
nodes:
  - id: make
    path: make.py
    outputs: [batch]
  - id: km
    path: km.py
    inputs:
      batch: {{ source: make/batch{queue} }}
    outputs: [batch]
  - id: drop
    path: drop.py
    inputs:
      batch: {{ source: km/batch{queue} }}
"""

DORA_MAKE = """
import time
import numpy as np, pyarrow as pa
from dora import Node
node = Node()
batch = pa.array(np.arange(131072, dtype="f8"))
time.sleep(1)  # until the others wait
for _ in range({batches}):
    node.send_output("batch", batch, {{"sent": time.time_ns()}})
time.sleep(3 + {batches} * 0.02)  # a node that ends may end the flow
"""

DORA_KM = """
import pyarrow.compute as pc
from dora import Node
node = Node()
for event in node:
    if event["type"] == "INPUT":
        node.send_output("batch", pc.multiply(event["value"], 1.609344), event["metadata"])
"""

DORA_DROP = """
import time
from dora import Node
node = Node()
count, first, last, late = 0, 0, 0, []
for event in node:
    if event["type"] == "INPUT":
        sent = event["metadata"]["sent"]
        count, last, first = count + 1, time.time_ns(), first or sent
        late.append(last - sent)
print("RESULT", count, (last - first) / 1e9, sorted(late)[len(late) // 2] / 1e6, flush=True)
"""

BYTEWAX = """
import sys, time
import numpy as np, pyarrow as pa, pyarrow.compute as pc
import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import TestingSource, run_main
class Drop(StatelessSinkPartition):
    def write_batch(self, items): pass
class Sink(DynamicSink):
    def build(self, step_id, worker_index, worker_count): return Drop()
batch = pa.array(np.arange(1, dtype="f8"))
flow = Dataflow("scale")
stream = op.input("in", flow, TestingSource([batch] * int(sys.argv[1]), batch_size=1))
op.output("out", op.map("km", stream, lambda b: pc.multiply(b, 1.609344)), Sink())
begin = time.perf_counter()
run_main(flow)
print(time.perf_counter() - begin)
"""

DUCKDB = """
import sys, duckdb
connection = duckdb.connect(config={"threads": 2})
for query in sys.argv[1:]:
    connection.execute(query).fetchall()
"""


class Bench:
    def __init__(self, folder, peers, runs, scale):
        self.folder, self.peers, self.runs, self.scale = folder, peers, runs, scale
        self.rows = []
        subprocess.run(["go", "build", "-o", BUILD / "bin/thund_bench", "./bench"],
                       cwd=ROOT / "apps/thund", check=True)
        subprocess.run(["go", "build", "-o", BUILD / "bin/thund", "./cmd/thund"],
                       cwd=ROOT / "apps/thund", check=True)

    def add(self, number, work, peer, ours, theirs, unit, goal, reached):
        """A row; theirs is None if the peer did not run."""
        ratio = f"{ours / theirs:.3g}" if theirs else "-"
        cells = (number, work, f"{ours:.3g} {unit}", peer, "-" if peer == "-" else
                 "not run" if theirs is None else f"{theirs:.3g} {unit}", ratio, goal, reached)
        self.rows.append(cells)
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)

    def graph(self, keys="", name="scale.toml"):
        path = self.folder / name
        path.write_text(GRAPH.format(build=BUILD, keys=keys))
        return path

    def thund(self, graph, rows, batches, kill=False):
        """Seconds of a run, and its report."""
        env = {**os.environ, "BENCH_ROWS": str(rows), "BENCH_BATCHES": str(batches)}
        process = subprocess.Popen([BUILD / "bin/thund_bench", "run", graph, "-q", "--json"],
                                   stdout=subprocess.PIPE, env=env)
        ended = threading.Event()
        if kill:
            threading.Thread(target=kills, args=(process.pid, ended), daemon=True).start()
        out, _ = process.communicate()
        ended.set()
        if process.returncode != 0:
            sys.exit(f"thund failed with {process.returncode}")
        report = json.loads(out)
        passed = sum(n["rows_in"] for n in report["nodes"] if n["name"] == "drop")
        return report["seconds"], batches * rows - passed, report["retries"]

    def channels(self, rows, batches):
        done = subprocess.run([BUILD / "bin/thund_bench", "channels", RUST, BUILD / "dev.crt",
                                str(rows), str(batches)], check=True, capture_output=True,
                              text=True)
        return float(done.stdout.split()[0])

    def in_turn(self, *contestants):
        times = [[] for _ in contestants]
        for _ in range(self.runs):
            for contestant, found in zip(contestants, times, strict=True):
                found.append(contestant())
        return [statistics.median(found) for found in times]

    def framework(self):
        for rows, batches, goal in ((MIB, 1000, 1.15), (1024, 50000, 1.5)):
            graph = self.graph()
            ours, theirs = self.in_turn(lambda: self.thund(graph, rows, batches)[0],
                                        lambda: self.channels(rows, batches))
            self.add(1, f"{batches:,} batches of {rows:,} rows", "Go channels",
                     1000 * ours / batches, 1000 * theirs / batches, "ms/batch",
                     f"≤ {goal} of its time", yes(ours <= goal * theirs))

    def dora(self):
        program = self.peers / "bin/dora"
        batches = 1000
        graph, isolated = self.graph(), self.graph("isolated = true", "isolated.toml")
        ours, workers = self.in_turn(lambda: self.thund(graph, MIB, batches)[0],
                                     lambda: self.thund(isolated, MIB, batches)[0])
        if not program.exists():
            self.add(2, "in process", "dora-rs", 1000 * ours / batches, None, "ms/batch",
                     "≤ 1/20", "-")
            return
        found = {}
        lossy = ""
        whole = ", queue_size: 1000, queue_policy: backpressure"
        for name, queue in (("default", lossy), ("backpressure", whole)):
            found[name] = [self.one_dora(program, queue, batches)
                           for _ in range(max(1, self.runs // 2))]
        lossless = statistics.median(
            seconds / count for count, seconds, _ in found["backpressure"])
        latency = statistics.median(late for _, _, late in found["backpressure"])
        arrived = {name: statistics.median(count for count, _, _ in one)
                   for name, one in found.items()}
        theirs = 1000 * lossless
        for what, seconds, goal in (("in process", ours, 20), ("isolated", workers, 5)):
            mine = 1000 * seconds / batches
            self.add(2, f"1,000 batches of 1 MiB, {what}",
                     "dora-rs, backpressure, Python nodes", mine, theirs,
                     "ms/batch", f"≤ 1/{goal}", yes(theirs >= goal * mine))
        print(f"\ndora-rs: {arrived['default']:.0f} of {batches} batches arrive with its "
              f"default queue, {arrived['backpressure']:.0f} with backpressure "
              f"(median latency {latency:.1f} ms)\n")

    def one_dora(self, program, queue, batches):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        (folder / "flow.yml").write_text(DORA.format(queue=queue))
        (folder / "make.py").write_text(DORA_MAKE.format(batches=batches))
        (folder / "km.py").write_text(DORA_KM)
        (folder / "drop.py").write_text(DORA_DROP)
        path = f"{program.parent}:{os.environ['PATH']}"
        done = subprocess.run([program, "run", "flow.yml"], cwd=folder, capture_output=True,
                              text=True, timeout=300, env={**os.environ, "PATH": path})
        said = re.search(r"RESULT (\S+) (\S+) (\S+)", done.stdout + done.stderr)
        count, seconds, late = said.groups()
        return int(count), float(seconds), float(late)

    def bytewax(self):
        python, count = self.peers / "bin/python", 100000
        graph = self.graph()
        if subprocess.run([python, "-c", "import bytewax"], capture_output=True).returncode:
            ours, = self.in_turn(lambda: self.thund(graph, 1, count)[0])
            self.add(3, "batches of 1 row", "Bytewax", 1e6 * ours / count, None, "µs/batch",
                     "≤ 1/20", "-")
            return

        def theirs():
            done = subprocess.run([python, "-c", BYTEWAX, str(count // 10)], check=True,
                                  capture_output=True, text=True)
            return 10 * float(done.stdout.split()[-1])
        ours, peer = self.in_turn(lambda: self.thund(graph, 1, count)[0], theirs)
        self.add(3, "batches of 1 row", "Bytewax 0.21, PyArrow", 1e6 * ours / count,
                 1e6 * peer / count,
                 "µs/batch", "≤ 1/20", yes(peer >= 20 * ours))

    def duckdb(self):
        sys.path.insert(0, str(ROOT / "apps/thund/tests"))
        from test_flights import BESIDE, LONG, MARKERS, NAMED
        values = {"factor": "1.609344::DOUBLE", **MARKERS}
        out = self.folder / "duck"
        out.mkdir()
        results = ((LONG, "far.parquet"), (NAMED, "report.csv"), (BESIDE, "feed.parquet"))
        copies = [f"COPY ({query.format(**values)}) TO '{out}/{name}' "
                  f"(FORMAT {name.split('.')[1]})"
                  for query, name in results]
        text = (ROOT / "apps/thund/examples/flights.toml").read_text()
        text = text.replace("../../../build/thund", str(self.folder / "thund"))
        text = text.replace("../../../build", str(BUILD))
        text = text.replace('"carriers.csv"', f'"{ROOT}/apps/thund/examples/carriers.csv"')
        flights = self.folder / "flights.toml"
        flights.write_text(text)
        self.beside_duckdb("flights (CSV)", flights, copies)
        file = lineitem(self.scale)
        for query in ("q6", "q1"):
            path = self.folder / f"{query}.toml"
            path.write_text(TPCH.format(build=BUILD, file=file, query=query))
            answer = QUERIES[query].format(file=file)
            self.beside_duckdb(f"TPC-H {query.upper()}, scale {self.scale:g} (Parquet)", path,
                               [f"COPY ({answer}) TO '{out}/{query}.csv'"])

    def beside_duckdb(self, work, graph, queries):
        duck = [self.peers / "bin/python", "-c", DUCKDB, *queries]
        if subprocess.run([duck[0], "-c", "import duckdb"], capture_output=True).returncode:
            duck[0] = sys.executable
        found = {}
        for _ in range(self.runs):
            for name, command in (("thund", [BUILD / "bin/thund", "run", graph, "-q"]),
                                  ("duckdb", duck)):
                found.setdefault(name, []).append(measure(command))
        ours, theirs = ([statistics.median(column)
                         for column in zip(*found[name], strict=True)]
                        for name in ("thund", "duckdb"))
        self.add(4, work, "DuckDB, 2 threads", ours[0], theirs[0], "s", "≤ 2.0 of its time",
                 yes(ours[0] <= 2 * theirs[0]))
        self.add(4, f"{work}, memory", "DuckDB, 2 threads", ours[1] / 2**20,
                 theirs[1] / 2**20, "MiB",
                 "≤ 1.0 of it", yes(ours[1] <= theirs[1]))

    def crashes(self):
        graph = self.graph('isolated = true\nretries = 3\nbackoff = "1ms"')
        once = self.thund(graph, MIB, 1000)[0]
        batches = int(8 / once) * 1000  # about 8 s
        lost, retries = 0, 0

        def killed():
            nonlocal lost, retries
            seconds, missing, retried = self.thund(graph, MIB, batches, kill=True)
            lost, retries = lost + missing, retries + sum(retried.values())
            return seconds
        calm, ours = self.in_turn(lambda: self.thund(graph, MIB, batches)[0], killed)
        self.add(5, f"a worker killed each second: {retries} retries, {lost} rows lost",
                 "without kills",
                 batches / ours, batches / calm, "batches/s", "≥ 0.8 of it, 0 rows lost",
                 yes(calm >= 0.8 * ours and lost == 0 and retries > 0))

    def starts(self):
        steps = ['[source]\nin = { csv = "ids.csv", schema = { distance = "float64" } }']
        for i in range(8):
            before = f"s{i - 1}" if i else "in"
            steps.append(f'[step.s{i}]\ncall = "rel.scale"\nfrom = "{before}"\n'
                         'options = { column = "distance", factor = "2" }')
        text = (f'[graph]\nformat = 1\ncertificate = "{BUILD}/dev.crt"\n'
                f'[backend]\nrel = {{ library = "{RUST}" }}\n')
        graph = self.folder / "ten.toml"
        sink = '\n[sink]\nout = { from = "s7", csv = "ten.csv" }\n'
        graph.write_text(text + "\n".join(steps) + sink)
        (self.folder / "ids.csv").write_text("distance\n")
        for command, goal in (("validate", 0.3), ("run", 0.5)):
            ours, = self.in_turn(lambda: measure([BUILD / "bin/thund", command, graph])[0])
            self.add(6, f"{command} of 10 nodes, no rows", "-", ours, None, "s", f"≤ {goal} s",
                     yes(ours <= goal))


def kills(pid, ended):
    """Kills one worker each second."""
    while not ended.wait(1):
        found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True)
        children = found.stdout.split()
        if children:
            os.kill(int(children[0]), signal.SIGKILL)


def yes(reached):
    return "yes" if reached else "NO"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--peers", type=pathlib.Path, default=BUILD / "bench/thund")
    parser.add_argument("row", nargs="*", type=int, help="rows of the table; all without")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(pathlib.Path(folder), args.peers.absolute(), args.runs, args.scale)
        rows = {1: bench.framework, 2: bench.dora, 3: bench.bytewax, 4: bench.duckdb,
                5: bench.crashes, 6: bench.starts}
        print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, "
              f"load {os.getloadavg()[0]:.1f}, medians of {args.runs}\n\n"
              "| no. | work | Thund | compared with | its value | Thund / it | goal | reached |"
              "\n|---|---|---|---|---|---|---|---|")
        for number in args.row or rows:
            rows[number]()
    print("\nVector is not available for this benchmark: not run.")


if __name__ == "__main__":
    main()
