// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// oneByOne is a graph that runs once for each file of the folder in.
func (f folder) oneByOne(function, extra string) string {
	f.t.Helper()
	if err := os.MkdirAll(f.file("in"), 0o777); err != nil {
		f.t.Fatal(err)
	}
	return f.graph("", fmt.Sprintf(`
[source]
in = { csv = "in/*.csv", schema = { id = "int64" }, each = true, done = "done", grace = "50ms"%s }
[step.s]
from = "in"
call = "faulty.%s"
isolated = true
[sink]
out = { from = "s", ipc = "out/{stem}.arrow" }
`, extra, function))
}

// arrive puts a file into the folder in, as a program does that writes it at once.
func (f folder) arrive(name string, ids ...int) {
	var b strings.Builder
	b.WriteString("id\n")
	for _, id := range ids {
		fmt.Fprintln(&b, id)
	}
	f.write("new", b.String())
	if err := os.Rename(f.file("new"), f.file("in/"+name)); err != nil {
		f.t.Fatal(err)
	}
}

// wantsMarkers checks the markers, and that each done file has its output.
func (f folder) wantsMarkers(markers ...string) {
	f.t.Helper()
	entries, _ := os.ReadDir(f.file("done"))
	var found []string
	for _, entry := range entries {
		found = append(found, entry.Name())
		if stem, isDone := strings.CutSuffix(entry.Name(), ".csv.done"); isDone {
			f.batches("out/" + stem + ".arrow")
		}
	}
	if strings.Join(found, " ") != strings.Join(markers, " ") {
		f.t.Errorf("the markers are %q, and not %q", found, markers)
	}
	left, _ := filepath.Glob(f.file("*/*.part"))
	if len(left) > 0 {
		f.t.Errorf("%v are left", left)
	}
}

func exists(path string) func() bool {
	return func() bool { _, err := os.Stat(path); return err == nil }
}

// S1: each file gets exactly one marker; one that kills the step does not stop the others.
func TestEachFileGetsOneMarker(t *testing.T) {
	f := newFolder(t)
	g := f.oneByOne("poison", "")
	f.arrive("b.csv", 1, 2)
	f.arrive("a.csv", 6, 7) // kills its worker
	f.arrive("c.csv", 3)
	f.write("in/d.csv", "id\nx\n")
	f.write("in/e.csv", "other\n1\n")
	f.arrive("c.txt", 4)
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(f.file("in/c.csv"), old, old); err != nil {
		t.Fatal(err)
	}
	o := thund(t, "run", g, "--json").wants(4, "2 files done, 3 ignored", "ignored "+f.file("in/a.csv"), `step "s" failed at batch 1`)
	f.wantsMarkers("a.csv.ignore", "b.csv.done", "c.csv.done", "d.csv.ignore", "e.csv.ignore")
	if strings.Index(o.err, "in/c.csv") > strings.Index(o.err, "in/b.csv") {
		t.Errorf("the oldest file was not first:\n%s", o.err)
	}
	if text := read(t, f.file("done/a.csv.ignore")); !strings.Contains(text, "error[E") {
		t.Errorf("the marker has %q", text)
	}
	if r := o.report(); r.Files.Done != 2 || r.Files.Ignored != 3 || len(r.Files.IgnoredPaths) != 3 || r.Nodes[0].RowsOut < 3 || r.Files.Bytes == 0 {
		t.Errorf("%+v", r)
	}
	if got := f.column("out/b.arrow", "poison"); len(got) != 2 || got[0] != 1 {
		t.Error(got)
	}
	// A second run has nothing to do; a file whose marker is removed runs again.
	thund(t, "run", g).wants(0, "0 files done, 0 ignored")
	if err := os.Remove(f.file("done/b.csv.done")); err != nil {
		t.Fatal(err)
	}
	thund(t, "run", g, "--quiet").wants(0)
	f.wantsMarkers("a.csv.ignore", "b.csv.done", "c.csv.done", "d.csv.ignore", "e.csv.ignore")
}

// Two files must not write the same output.
func TestFilesOfOneStemAreNotMixed(t *testing.T) {
	f := newFolder(t)
	g := f.oneByOne("poison", "")
	f.replace(g, "in/*.csv", "in/*")
	f.arrive("a.csv", 1)
	f.arrive("a.txt", 2)
	thund(t, "run", g).wants(4, "1 files done, 1 ignored", "would replace those of")
}

// --watch runs files as they come, waits for those that grow, and ends by a signal.
func TestWatchUntilASignal(t *testing.T) {
	f := newFolder(t)
	g := f.oneByOne("poison", "")
	f.replace(g, "50ms", "500ms") // longer than a busy machine lets this test wait
	c := process("run", g, "--watch")
	var log strings.Builder
	c.Stderr = &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a folder for the markers", exists(f.file("done")))
	f.arrive("a.csv", 1)
	eventually(t, "a marker of a", exists(f.file("done/a.csv.done")))
	thund(t, "run", g).wants(3, "another run writes markers")
	growing, err := os.Create(f.file("in/b.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 { // for longer than that
		fmt.Fprintf(growing, "%s\n", map[bool]string{true: "id", false: fmt.Sprint(100 + i)}[i == 0])
		time.Sleep(25 * time.Millisecond)
	}
	growing.Close()
	f.arrive("c.csv", 7)
	eventually(t, "markers of b and c", func() bool { return exists(f.file("done/b.csv.done"))() && exists(f.file("done/c.csv.ignore"))() })
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	c.Wait()
	if c.ProcessState.ExitCode() != 4 || !strings.Contains(log.String(), "2 files done, 1 ignored") {
		t.Errorf("exit code %d\n%s", c.ProcessState.ExitCode(), log.String())
	}
	if got := f.column("out/b.arrow", "poison"); len(got) != 29 {
		t.Errorf("%d rows of a file that grew", len(got))
	}
	f.wantsMarkers("a.csv.done", "b.csv.done", "c.csv.ignore")
}

// A signal lets the file end that runs now, and takes no other one.
func TestASignalEndsAfterTheFile(t *testing.T) {
	for signal, exit := range map[syscall.Signal]int{syscall.SIGTERM: 0, syscall.SIGINT: 130} {
		f := newFolder(t)
		g := f.oneByOne("slow", "")
		f.arrive("a.csv", 1500)
		f.arrive("b.csv", 1500)
		c := process("run", g)
		var log strings.Builder
		c.Stderr = &log
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "a file that is written", exists(f.file("out/a.arrow.part")))
		if err := c.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		c.Wait()
		if c.ProcessState.ExitCode() != exit {
			t.Errorf("%v: exit code %d\n%s", signal, c.ProcessState.ExitCode(), log.String())
		}
		if exit == 0 {
			f.wantsMarkers("a.csv.done")
		} else {
			f.wantsMarkers()
			f.wantsNoFile("out")
		}
	}
}

// Acceptance 12: kill -9 in the middle, and a new start: each file has one marker and one
// correct output, and no worker remains.
func TestKilledInTheMiddleOfManyFiles(t *testing.T) {
	f := newFolder(t)
	g := f.oneByOne("slow", "")
	kills := max(3, byHand(t, "THUND_KILLS", 1)/40)
	count := 5*kills + 5
	for i := range count {
		f.arrive(fmt.Sprintf("%03d.csv", i), 30, i)
	}
	for kill := range kills {
		c := process("run", g, "--watch", "--quiet")
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "some markers", exists(f.file(fmt.Sprintf("done/%03d.csv.done", 4*(kill+1)))))
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		c.Wait()
		eventually(t, "no worker", func() bool { return syscall.Kill(-c.Process.Pid, 0) != nil })
	}
	thund(t, "run", g).wants(0, "0 ignored")
	var want []string
	for i := range count {
		want = append(want, fmt.Sprintf("%03d.csv.done", i))
		if got := f.column(fmt.Sprintf("out/%03d.arrow", i), "slow"); len(got) != 2 || got[1] != int64(i) {
			t.Errorf("%d: %v", i, got)
		}
	}
	f.wantsMarkers(want...)
}

// A fault that has nothing to do with a file ends the run, and the file gets no marker.
func TestAFullDiskIgnoresNoFile(t *testing.T) {
	f := newFolder(t)
	g := f.oneByOne("poison", "")
	f.arrive("a.csv", 1)
	f.write("out", "no folder")
	thund(t, "run", g).wants(3, `error[E0408]: sink "out" cannot be written`)
	entries, _ := os.ReadDir(f.file("done"))
	if len(entries) != 0 {
		t.Error(entries)
	}
}

// Parquet files without a schema in the graph: an empty folder may wait for its first file.
func TestTypesOfFilesThatAreNotThereYet(t *testing.T) {
	f := newFolder(t)
	f.ids(3)
	thund(t, "run", f.graph("", "[source]\nin = { csv = \"ids.csv\", schema = { id = \"int64\" } }\n[sink]\nout = { from = \"in\", parquet = \"ids.parquet\" }\n")).wants(0)
	g := f.oneByOne("poison", "")
	f.replace(g, `csv = "in/*.csv", schema = { id = "int64" }`, `parquet = "in/*.parquet"`)
	thund(t, "validate", g).wants(0, "s: its types are checked when data come, before a row moves")
	thund(t, "run", g).wants(0, "0 files done")
	if err := os.Rename(f.file("ids.parquet"), f.file("in/a.parquet")); err != nil {
		t.Fatal(err)
	}
	f.write("in/b.parquet", "no Parquet")
	thund(t, "validate", g).wants(0, "poison int64")
	thund(t, "run", g).wants(4, "1 files done, 1 ignored")
}

func TestRulesOfFilesOneByOne(t *testing.T) {
	for name, c := range map[string]struct {
		old, with string
		want      string
	}{
		"no stem":           {"out/{stem}.arrow", "out/x.arrow", "would be replaced each time"},
		"no folder":         {`done = "done", `, "", "has no folder for the markers"},
		"several folders":   {"in/*.csv", "*/*.csv", "in one folder"},
		"no each":           {"each = true, ", "", "which are for files one by one"},
		"an unknown event":  {"each = true, ", "each = true, events = [\"json\"], ", `this program has no event "json"`},
		"an unknown step":   {"isolated = true", "[step.g]\nfrom = \"in\"\ngo = \"upper\"\n[sink.h]\nfrom = \"g\"\nipc = \"out/{stem}-g.arrow\"", `this program has no step "upper"`},
		"a task":            {"[sink]", "[task.t]\ngo = \"t\"\nbefore = [\"inn\"]\n[sink]", `there is no source "inn"`},
		"an endless source": {"[step.s]", "[source.late]\nipc = \"unix:x.sock\"\nschema = { id = \"int64\" }\n[step.s]", `source "late" never ends`},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			g := f.oneByOne("poison", "")
			f.replace(g, c.old, c.with)
			thund(t, "run", g).wants(2, c.want, "graph.toml:")
		})
	}
	f := newFolder(t)
	f.ids(1)
	g := f.graph("", "[source]\nin = { csv = \"ids.csv\", schema = { id = \"int64\" } }\n[sink]\nout = { from = \"in\", csv = \"{stem}.csv\" }\n")
	thund(t, "run", g).wants(2, "no source has each = true")
	f.replace(g, "{stem}", "o")
	thund(t, "run", g, "--watch").wants(2, "--watch needs a source")
}
