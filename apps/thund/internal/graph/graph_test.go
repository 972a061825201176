// SPDX-License-Identifier: MIT

package graph

import (
	"strings"
	"testing"
)

// head is what each graph of the table begins with: five lines.
const head = `[graph]
format = 1
params = { factor = "2" }
[backend]
rel = { library = "rel.so" }
`

const correct = head + `[source]
a = { csv = "a.csv", schema = { z = "utf8", b = "int64" } }
[step.s]
call = "rel.scale"
from = "a"
options = { factor = "${factor}" }
[sink]
out = { from = "s", csv = "out.csv" }
`

func TestACorrectGraphIsRead(t *testing.T) {
	g, err := parse("dir/g.toml", []byte(correct), Settings{Params: map[string]string{"factor": "3"}})
	if err != nil {
		t.Fatal(err)
	}
	if g.Name != "g" || len(g.Nodes) != 3 || g.Memory != 1<<30 || g.QueueBatches != 8 {
		t.Errorf("%+v", g)
	}
	a, s := g.Nodes[0], g.Nodes[1]
	if a.Columns[0].Name != "z" || a.Columns[1].Name != "b" || a.Path != "dir/a.csv" {
		t.Errorf("the columns do not have the order of the file, or the path is wrong: %+v", a)
	}
	if s.Options["factor"] != "3" || s.From[0] != a || a.Readers[0] != s || g.Backends["rel"].Library != "dir/rel.so" {
		t.Errorf("%+v", s)
	}
}

// Acceptance 2 and section 3: every rule that needs no backend and no data, with its exact
// text. Two faults of one stage are reported together.
func TestFaultsNameFileLineAndNode(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"not TOML": {"[graph\n", `error[E0401]: the graph file is not correct TOML
  at:   g.toml:1, column 7
        expected ']' to close table name`},
		"two unknown keys": {strings.NewReplacer(`from = "a"`, `form = "a"`, "[graph]", "[graph]\nmemroy = \"1GiB\"").Replace(correct), `error[E0401]: there is no key "memroy"
  at:   g.toml:2, graph.memroy
  help: write memory

error[E0401]: there is no key "form"
  at:   g.toml:11, step.s.form
  help: write from`},
		"a wrong name and a missing variable": {strings.NewReplacer(`from = "s"`, `from = "t"`, "${factor}", "${factr}").Replace(correct), `error[E0402]: ${factr} has no value
  at:   g.toml:11, step.s.options.factor
  help: write ${factor}, or pass --set factr=VALUE

error[E0402]: there is no source or step "t"
  at:   g.toml:13, [sink.out], from
  help: the names are: a, s`},
		"a type": {strings.Replace(correct, `factor = "${factor}"`, `factor = 2`, 1), `error[E0401]: the graph file is not correct TOML
  at:   g.toml:11`},
		"a backend": {strings.Replace(correct, "rel.scale", "rle.scale", 1), `error[E0402]: there is no backend "rle"
  at:   g.toml:9, [step.s], call
  help: write rel`},
		"a name twice": {correct + `s = { from = "a", csv = "s.csv" }`, `error[E0402]: the name "s" is also that of the step in line 8
  at:   g.toml:14, [sink.s]
  help: give each source, step and sink a name of its own`},
		"a size": {strings.Replace(correct, "format = 1", "format = 1\nmemory = \"1GB\"", 1), `error[E0402]: "1GB" is not a number of bytes
  at:   g.toml:3, [graph], memory
  help: write for example "512MiB"; the units are B, KiB, MiB, GiB and TiB`},
		"a duration": {strings.Replace(correct, `from = "a"`, "from = \"a\"\ntimeout = \"2\"", 1), `error[E0402]: "2" is not a duration
  at:   g.toml:11, [step.s], timeout
  help: write for example "2s" or "200ms"`},
		"a format": {strings.Replace(correct, "format = 1", "format = 2", 1), `error[E0402]: the format of the file is 2, and this program reads format 1
  at:   g.toml:2, [graph], format
  help: write format = 1 in [graph]`},
		"a queue": {strings.Replace(correct, "format = 1", "format = 1\nqueue = { batches = 0 }", 1), `error[E0402]: a queue needs room for at least 1 batch
  at:   g.toml:3, [graph], queue.batches
  help: write queue = { batches = 8 }`},
		"no schema": {strings.Replace(correct, `, schema = { z = "utf8", b = "int64" }`, "", 1), `error[E0402]: source "a" has no schema, and a run never guesses types
  at:   g.toml:7, [source.a], csv
  help: add schema = { NAME = "utf8" }; columns that it does not list are not read`},
		"two formats": {strings.Replace(correct, `csv = "out.csv"`, `csv = "out.csv", ipc = "out.arrow"`, 1), `error[E0402]: sink "out" has 2 of the keys parquet, csv and ipc, and needs one
  at:   g.toml:13, [sink.out]
  help: write for example parquet = "PATH"`},
		"a union with options": {strings.Replace(correct, `call = "rel.scale"`, "union = true", 1), `error[E0402]: step "s" is a union, which has only the key from
  at:   g.toml:8, [step.s]
  help: remove the other keys`},
		"a heap in process": {strings.Replace(correct, `from = "a"`, "from = \"a\"\nheap = \"1GiB\"", 1), `error[E0402]: heap limits a worker, and the step runs in this process
  at:   g.toml:11, [step.s], heap
  help: add isolated = true`},
		"a dead letter sink that reads": {strings.Replace(correct, `from = "a"`, "from = \"a\"\ndead_letter = \"out\"", 1), `error[E0402]: sink "out" reads a node, so it cannot get dead letters
  at:   g.toml:11, [step.s], dead_letter
  help: name a sink without from`},
		"a sink of nothing": {correct + `other = { csv = "o.csv" }`, `error[E0404]: sink "other" gets nothing
  at:   g.toml:14, [sink.other]
  help: add from = "NODE", or add dead_letter = "other" to a step`},
		"no reader": {strings.Replace(correct, `out = { from = "s"`, `out = { from = "a"`, 1), `error[E0404]: nobody reads step "s"
  at:   g.toml:8, [step.s]
  help: remove it, or add a sink with from = "s"`},
		"no nodes": {head, `error[E0404]: the graph has no nodes
  at:   g.toml:1
  help: add a source and a sink; thund run --help shows a graph file`},
		"a sink of two": {strings.Replace(correct, `out = { from = "s"`, `out = { from = ["s", "a"]`, 1), `error[E0402]: sink "out" reads 2 nodes, and a sink reads one
  at:   g.toml:13, [sink.out], from
  help: add a step with union = true, and read that`},
		// The first cycle of section 3.
		"a cycle": {head + `[source]
flights = { csv = "a.csv", schema = { a = "utf8" } }
[step.all]
union = true
from = ["flights", "long"]
[step.km]
call = "rel.scale"
from = ["all"]
[step.long]
call = "rel.filter"
from = ["km"]
[sink]
out = { from = "long", csv = "out.csv" }
`, `error[E0403]: the graph has a cycle: km -> long -> all -> km
  at:   g.toml:8, [step.all], from = ["flights", "long"]
  help: remove "long" from this list, or write its output to a file for the next run`},
	} {
		_, err := parse("g.toml", []byte(c.text), Settings{})
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s:\n%v\nand not\n%s", name, err, c.want)
		}
	}
}

func TestAGraphHasAtMost256Nodes(t *testing.T) {
	var b strings.Builder
	b.WriteString(head + "[source]\na = { parquet = \"a\" }\n[sink]\n")
	for i := range 256 {
		b.WriteString("s" + strings.Repeat("x", i) + " = { from = \"a\", ipc = \"x\" }\n")
	}
	_, err := parse("g.toml", []byte(b.String()), Settings{})
	if err == nil || !strings.Contains(err.Error(), "error[E0404]: the graph has 257 nodes, and the most is 256") {
		t.Error(err)
	}
}

func TestOnlyDiamondsMayGrow(t *testing.T) {
	g, err := parse("g.toml", []byte(head+`[source]
a = { parquet = "a" }
b = { parquet = "b" }
[step.c]
call = "rel.scale"
from = "a"
[step.d]
call = "rel.join"
from = ["a", "c"]
[step.e]
call = "rel.join"
from = ["d", "b"]
[sink]
out = { from = "e", ipc = "x" }
`), Settings{})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, d := range g.Diamonds() {
		found = append(found, d.From.Name+" -> "+d.To.Name)
	}
	if got := strings.Join(found, ", "); got != "a -> d, c -> d" {
		t.Error(got)
	}
}
