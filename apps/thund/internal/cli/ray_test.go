// SPDX-License-Identifier: MIT

package cli

import (
	"os/exec"
	"strings"
	"testing"
)

// Acceptance 20: each step that Ray cannot run is named.
func TestRayRefusesWhatItCannotRun(t *testing.T) {
	f, g := flights(t)
	o := thund(t, "ray", g).wants(2, `error[E0410]: step "usual" works on a whole stream`, `step "named" has 2 inputs`, `step "beside" has 2 inputs`, "flights.toml:3", "partition_by")
	if count := strings.Count(o.err, "error["); count != 3 || o.out != "" {
		t.Errorf("%d errors, and %q", count, o.out)
	}
	f = newFolder(t)
	f.ids(3)
	g = f.graph("", `
[source]
in = { csv = "ids.csv", schema = { id = "int64" } }
pipe = { ipc = "-", schema = { id = "int64" } }
late = { ipc = "unix:late.sock", schema = { id = "int64" } }
[step.s]
call = "faulty.poison"
from = "in"
timeout = "1s"
[step.g]
call = "rel.sort"
from = "in"
options = { by = "id" }
partition_by = ["key"]
[step.all]
union = true
from = ["pipe", "late"]
[sink]
a = { from = "s", csv = "a.csv" }
b = { from = "g", csv = "b.csv" }
c = { from = "all", ipc = "unix:c.sock" }
`)
	o = thund(t, "ray", g).wants(2, `source "pipe" is standard input`, `source "late" is a socket`, `sink "c" is a socket`, `step "s" has a time limit`, `step "g" has no column "key" in its input; the columns are id int64`)
	if count := strings.Count(o.err, "error[E0410]"); count != 5 {
		t.Errorf("%d errors:\n%s", count, o.err)
	}
	f.replace(g, `partition_by = ["key"]`, "")
	f.replace(g, `timeout = "1s"`, `partition_by = ["id"]`)
	thund(t, "validate", g).wants(2, `step "s" has partition_by, which names columns for a function on a whole stream`)
	one := newFolder(t)
	thund(t, "ray", one.oneByOne("poison", "")).wants(2, `source "in" runs files one by one`)
}

// A job is correct Python also if names are strange; the suite cluster runs one on two nodes.
func TestARayJobIsPython(t *testing.T) {
	f := newFolder(t)
	f.ids(3)
	g := f.graph("name = \"a \\\"graph\\\"\"", `
[source."a-b"]
csv = "ids.csv"
schema = { id = "int64" }
[source."a b"]
csv = "ids.csv"
schema = { id = "int64" }
comma = "\t"
[step."if"]
call = "faulty.poison"
from = "a-b"
isolated = true
heap = "64MiB"
retries = 2
dead_letter = "bad"
[sink]
a = { from = "if", csv = "a'\"\n.csv" }
b = { from = "a b", parquet = "b.parquet" }
bad = { ipc = "bad.arrow" }
`)
	o := thund(t, "ray", g).wants(0, "alloy.ray.configure(retries=2)", "limits=alloy.Limits(heap_bytes=67108864)", `WithLetters(stage, "if", 2, True)`)
	check := exec.Command("python3", "-c", "import ast, sys; ast.parse(sys.stdin.read())")
	check.Stdin = strings.NewReader(o.out)
	if text, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v: %s\n%s", err, text, o.out)
	}
}
