// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"strings"
	"syscall"
	"testing"
)

// laterGraph reads a socket whose schema comes with the first message.
func (f folder) laterGraph(keys string) string {
	g := f.service(keys)
	f.replace(g, `, schema = { id = "int64" }`, "")
	return g
}

// Section 3: a socket without schema. Its types are checked at the first message, before a
// batch moves.
func TestTheSchemaOfASocketMayComeWithTheStream(t *testing.T) {
	f := newFolder(t)
	g := f.laterGraph(", connections = 1")
	thund(t, "validate", g).wants(0, "late: its types are checked when data come", "double: its types", "out: its types", "(not known yet)")
	wait, _ := start(t, g)
	conn := f.dial("late.sock")
	if _, err := conn.Write(stream(t, 1, 2)); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	wait().wants(0, "late 2")
	if got := f.column("out/x.arrow", "id"); len(got) == 0 || got[0]%2 != 0 {
		t.Error(got)
	}
}

func TestAFaultOfTheFirstMessage(t *testing.T) {
	f := newFolder(t)
	g := f.laterGraph("")
	f.replace(g, `column = "id"`, `column = "other"`)
	wait, _ := start(t, g)
	conn := f.dial("late.sock")
	defer conn.Close()
	if _, err := conn.Write(stream(t, 1)); err != nil {
		t.Fatal(err)
	}
	wait().wants(2, `error[E0405]: step "double" cannot read the output of "late"`, "graph.toml:", "id int64")
	f.wantsNoFile("out")
	// The graph asks for columns that the stream does not have.
	g = f.laterGraph(`, columns = ["none"]`)
	wait, _ = start(t, g)
	conn = f.dial("late.sock")
	defer conn.Close()
	if _, err := conn.Write(stream(t, 1)); err != nil {
		t.Fatal(err)
	}
	wait().wants(3, `there is no column "none"`)
}

// A producer that breaks off before its schema is counted, and the next one brings it.
func TestAProducerThatBreaksOffBeforeItsSchema(t *testing.T) {
	f := newFolder(t)
	wait, signal := start(t, f.laterGraph(""))
	conn := f.dial("late.sock")
	if _, err := conn.Write(stream(t, 1)[:20]); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	conn = f.dial("late.sock")
	if _, err := conn.Write(stream(t, 1)); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	eventually(t, "the file is begun", exists(f.file("out/x.arrow.part")))
	f.dial("late.sock").Close() // it was served, so the one before is complete
	signal(syscall.SIGTERM)
	wait().wants(0, "producers of late broke off")
	f.batches("out/x.arrow")
}

// A signal before the first message: nothing came, and nothing is written.
func TestASignalBeforeTheFirstMessage(t *testing.T) {
	for signal, exit := range map[syscall.Signal]int{syscall.SIGTERM: 0, syscall.SIGINT: 0} {
		f := newFolder(t)
		wait, send := start(t, f.laterGraph(""))
		f.dial("late.sock").Close()
		send(signal)
		wait().wants(exit, "late 0 rows")
		f.wantsNoFile("out")
	}
}

func TestTheSchemaOfStandardInputMayComeWithIt(t *testing.T) {
	f := newFolder(t)
	g := f.laterGraph("")
	f.replace(g, "unix:late.sock", "-")
	c := process("run", g)
	c.Stdin = bytes.NewReader(stream(t, 3))
	finish(t, c).wants(0, "late 1")
	c = process("run", g)
	c.Stdin = strings.NewReader("no Arrow")
	finish(t, c).wants(3, `source "late" cannot be read`)
}

// Section 2: a source reads only what a step declares or a sink writes. The column junk cannot
// be read, so a run shows whether it was.
func TestASourceLeavesOutWhatNobodyReads(t *testing.T) {
	const step, sink = "[step.s]\ncall = \"faulty.poison\"\nfrom = \"in\"\n", "[sink]\nout = { from = \"s\", ipc = \"out/x.arrow\" }\n"
	for name, c := range map[string]struct {
		rest string
		exit int
	}{
		"a step that declares its columns": {step + sink, 0},
		"two of them":                      {step + sink + "[step.t]\ncall = \"faulty.refuse\"\nfrom = \"in\"\n[sink.t2]\nfrom = \"t\"\nipc = \"out/t.arrow\"\n", 0},
		"a sink":                           {step + sink + "[sink.all]\nfrom = \"in\"\nipc = \"out/all.arrow\"\n", 3},
		"dead letters have all columns":    {step + "dead_letter = \"bad\"\n" + sink + "bad = { ipc = \"out/bad.arrow\" }\n", 3},
		"a step that reads any column":     {"[step.s]\ncall = \"rel.sort\"\noptions = { by = \"id\" }\nfrom = \"in\"\n" + sink, 3},
		"a union":                          {"[step.s]\nunion = true\nfrom = [\"in\"]\n" + sink, 3},
		"a test may give any column":       {step + sink + "[[test]]\ngiven.in = [{ junk = 1 }]\nexpect.s = []\n", 3},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			f.write("in.csv", "junk,id\nx,1\ny,2\n")
			g := f.graph("", "[source]\nin = { csv = \"in.csv\", schema = { junk = \"int64\", id = \"int64\" } }\n"+c.rest)
			o := thund(t, "run", g).wants(c.exit)
			if c.exit == 3 {
				o.wants(3, `source "in" cannot be read on`)
				return
			}
			if got := f.column("out/x.arrow", "poison"); len(got) != 2 || got[1] != 2 {
				t.Error(got)
			}
			thund(t, "validate", g).wants(0, "in: 1 of 2 columns are read")
		})
	}
	// Parquet and IPC too, with a cast.
	f := newFolder(t)
	f.write("in.csv", "junk,id\n1,1\n2,2\n")
	thund(t, "run", f.graph("", "[source]\nin = { csv = \"in.csv\", schema = { junk = \"int64\", id = \"int32\" } }\n[sink]\na = { from = \"in\", parquet = \"in.parquet\" }\nb = { from = \"in\", ipc = \"in.arrow\" }\n")).wants(0)
	for _, format := range []string{"parquet", "ipc"} {
		file := map[string]string{"parquet": "in.parquet", "ipc": "in.arrow"}[format]
		g := f.graph("", "[source]\nin = { "+format+" = \""+file+"\", cast = { id = \"int64\" } }\n"+step+sink)
		thund(t, "validate", g).wants(0, "in: 1 of 2 columns are read")
		thund(t, "run", g).wants(0)
		if got := f.column("out/x.arrow", "poison"); len(got) != 2 || got[1] != 2 {
			t.Error(got)
		}
	}
}
