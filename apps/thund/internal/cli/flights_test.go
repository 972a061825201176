// SPDX-License-Identifier: MIT

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// flights copies the example, so that it writes into a folder of the test.
func flights(t *testing.T) (folder, string) {
	t.Helper()
	f, b := newFolder(t), build(t)
	text := read(t, "../../examples/flights.toml")
	f.write("carriers.csv", read(t, "../../examples/carriers.csv"))
	if _, err := os.Stat(filepath.Join(b, "data", "flights.csv")); err != nil {
		t.Fatalf("%v; make it with: tools/test thund", err)
	}
	text = strings.ReplaceAll(text, "../../../build/thund/", "out/")
	text = strings.ReplaceAll(text, "../../../build/", b+"/")
	return f, f.write("flights.toml", text)
}

func (f folder) replace(path, old, with string) {
	f.t.Helper()
	text := read(f.t, path)
	if !strings.Contains(text, old) {
		f.t.Fatalf("%s does not have %q", path, old)
	}
	f.write(filepath.Base(path), strings.ReplaceAll(text, old, with))
}

// Acceptance 1: a table of 11 nodes with types and signers, and the diamond.
func TestValidatePrintsEachEdge(t *testing.T) {
	f, g := flights(t)
	o := thund(t, "validate", g).wants(0, "km -> beside: may grow (diamond)", "CN=Alloy development",
		"carrier utf8, count int64, usual float64 | carrier utf8, name utf8")
	nodes := 0
	for _, line := range strings.Split(o.out, "\n") {
		for _, kind := range []string{"source", "step", "sink"} {
			if fields := strings.Fields(line); len(fields) > 1 && fields[1] == kind {
				nodes++
			}
		}
	}
	if nodes != 11 {
		t.Errorf("%d nodes in:\n%s", nodes, o.out)
	}
	thund(t, "validate", "--isolated", g).wants(0, "rel.scale (workers)")
	f.replace(g, "[backend]\n", "[backend]\nunused = { library = \"none.so\" }\n")
	thund(t, "validate", g).wants(0, "backend unused: no step uses it, so it was not verified")
}

// Acceptance 1: validate reads no row. The rows of this file cannot be read, and only run
// notices it.
func TestValidateReadsNoRow(t *testing.T) {
	f, g := flights(t)
	f.write("carriers.csv", "carrier,name\n\"")
	thund(t, "validate", g).wants(0)
	thund(t, "run", g).wants(3, `error[E0407]: source "carriers" cannot be read on`, "carriers.csv, after row 0")
	f.wantsNoFile("out")
}

// Acceptance 2: the first error of section 3, with its line and the backend's own text.
func TestATypeThatAStepRefusesIsFoundBeforeARowMoves(t *testing.T) {
	f, g := flights(t)
	f.replace(g, "float64", "utf8")
	thund(t, "validate", g).wants(2, `error[E0405]: step "km" cannot read the output of "flights"`,
		"flights.toml:19, [step.km], rel.scale, input 0 (carrier utf8, dest utf8, distance utf8)",
		"column distance is Utf8",
		`help: convert the column at the source: [source.flights] cast = { distance = "float64" }`)
	// The help is true: with it, the graph runs.
	f.replace(g, `distance = "utf8" } }`, `distance = "utf8" }, cast = { distance = "float64" } }`)
	thund(t, "run", g).wants(0, "km 336,776 rows")
}

// Acceptance 3 and 4: the same bytes in this process and in workers.
func TestTheModeDoesNotChangeTheBytes(t *testing.T) {
	_, g := flights(t)
	inProcess := thund(t, "run", g, "--json").wants(0, "flights 336,776 rows, carriers 16 rows", "0 dead letters").report()
	inWorkers := thund(t, "run", "--isolated", g, "--json").wants(0).report()
	if len(inProcess.Sinks) != 4 {
		t.Fatalf("%d sinks", len(inProcess.Sinks))
	}
	for i, sink := range inProcess.Sinks {
		if other := inWorkers.Sinks[i]; sink.SHA256 != other.SHA256 || sink.SHA256 == "" || sink.Rows != other.Rows {
			t.Errorf("%v differs from %v", sink, other)
		}
	}
}

// Acceptance 5: with queues of one batch the graph ends, because the queue of the diamond
// grows, and no other one.
func TestTheDiamondOfTheFlightsGrows(t *testing.T) {
	f, g := flights(t)
	f.replace(g, "batches = 8", "batches = 1")
	r := thund(t, "run", g, "--json").wants(0).report()
	grown := false
	for _, edge := range r.Edges {
		if edge.From == "km" && edge.To == "beside" {
			grown = edge.Growths > 0
		} else if edge.Growths > 0 {
			t.Errorf("%s -> %s grew %d times", edge.From, edge.To, edge.Growths)
		}
	}
	if !grown {
		t.Error("km -> beside did not grow")
	}
}

// Acceptance 5: beyond the memory, the run fails with the diamond and the remedy.
func TestADiamondBeyondTheMemoryFails(t *testing.T) {
	f, g := flights(t)
	f.replace(g, "batches = 8", "batches = 1")
	f.replace(g, "1GiB", "4MiB")
	thund(t, "run", g).wants(1, `error[E0409]: the diamond at step "beside" needs more than the memory of the graph`,
		"km -> beside must hold", "memory is 4194304", "read the file with two sources")
	f.wantsNoFile("out")
}

// Acceptance 6: a changed byte and a missing signature, before a source is opened.
func TestOnlySignedBytesRun(t *testing.T) {
	f, g := flights(t)
	library := filepath.Join(build(t), "backends", "aggregate_rust.so")
	bytes := read(t, library)
	changed := []byte(bytes)
	changed[len(changed)/2] ^= 1
	f.write("rel.so", string(changed))
	f.write("rel.so.alloysig", read(t, library+".alloysig"))
	f.replace(g, library, "rel.so")
	if err := os.Remove(f.file("carriers.csv")); err != nil { // a later stage
		t.Fatal(err)
	}
	thund(t, "run", g).wants(11, "error[E2014]", `backend "rel" may not be used`, "flights.toml:12")
	if err := os.Remove(f.file("rel.so.alloysig")); err != nil {
		t.Fatal(err)
	}
	thund(t, "run", g).wants(10, "error[E2010]")
	f.replace(g, "certificate = ", "name = \"x\" # ")
	f.replace(g, "name = \"flights\"\n", "")
	thund(t, "run", g).wants(10, "pass --allow-unsigned")
	f.wantsNoFile("out")
}
