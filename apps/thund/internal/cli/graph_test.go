// SPDX-License-Identifier: MIT

package cli

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

// Acceptance 17: each format is as the files of testdata have it. THUND_GOLDEN=1 writes them
// again: look at what has changed.
func TestDrawingsAreGolden(t *testing.T) {
	for name, args := range map[string][]string{
		"flights.txt":     {"--format", "text"},
		"flights.mmd":     {"--format", "mermaid"},
		"flights.dot":     {"--format", "dot"},
		"flights.svg":     {"--format", "svg"},
		"flights.json":    {"--json"},
		"flights-run.txt": {"--run", "testdata/report.json"},
		"flights-run.mmd": {"--format", "mermaid", "--run", "testdata/report.json"},
		"flights-run.dot": {"--format", "dot", "--run", "testdata/report.json"},
		"flights-run.svg": {"--format", "svg", "--run", "testdata/report.json"},
	} {
		o := thund(t, append([]string{"graph", "../../examples/flights.toml"}, args...)...).wants(0)
		path := "testdata/" + name
		if os.Getenv("THUND_GOLDEN") == "1" {
			if err := os.WriteFile(path, []byte(o.out), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if want := read(t, path); o.out != want {
			t.Errorf("%s differs; look at: THUND_GOLDEN=1 go test ./internal/cli -run Golden; git diff\n%s", path, o.out)
		}
	}
}

// Names and paths with signs of the formats are still correct drawings; a graph whose files and
// libraries are missing too.
func TestDrawingsOfStrangeNames(t *testing.T) {
	f := newFolder(t)
	g := f.write("g.toml", `[graph]
format = 1
name = "a \"graph\" <&> \\"
[backend]
none = { library = "none.so" }
[source]
"in \"<&>" = { csv = "a\"b<&>.csv", schema = { id = "int64" } }
late = { ipc = "unix:late.sock", schema = { id = "int64" } }
[step."s#1"]
call = "none.f"
from = "in \"<&>"
isolated = true
parallel = 2
[step.all]
union = true
from = ["s#1", "late"]
[step.own]
go = "upper"
from = "all"
[sink]
out = { from = "own", ipc = "-" }
`)
	thund(t, "graph", g).wants(0, `in "<&>`, "none.f (2 workers)", "go upper", "unix:late.sock", "union")
	thund(t, "graph", g, "--format", "mermaid").wants(0, `n0[("in #quot;&lt;&amp;&gt;<br/>a#quot;b&lt;&amp;&gt;.csv")]`, `n2["s#35;1<br/>none.f<br/>2 workers"]`)
	thund(t, "graph", g, "--format", "dot").wants(0, `digraph "a \"graph\" <&> \\" {`, `"in \"<&>" -> "s#1";`)
	decoder := xml.NewDecoder(strings.NewReader(thund(t, "graph", g, "--format", "svg").wants(0).out))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	thund(t, "graph", g, "--format", "png").wants(2, `there is no format "png"; the formats are dot, mermaid, svg, text`)
	thund(t, "graph", g, "--run", "none.json").wants(3, "the report of the run cannot be read")
	thund(t, "graph", g, "--run", "testdata/report.json").wants(2, `the report is of another graph: it has a node "flights"`)
	f.write("g.toml", "[graph]\nformat = 1\nnam = \"x\"\n")
	thund(t, "graph", g).wants(2, `there is no key "nam"`)
}

// The report of a run fits the command, with a union and dead letters.
func TestADrawingOfARun(t *testing.T) {
	f := newFolder(t)
	f.ids(1000)
	g := f.graph("", `
[source]
in = { csv = "ids.csv", schema = { id = "int64" } }
more = { csv = "ids.csv", schema = { id = "int64" } }
[step.all]
union = true
from = ["in", "more"]
[step.s]
from = "all"
call = "faulty.refuse"
dead_letter = "bad"
[sink]
out = { from = "s", ipc = "x.arrow" }
bad = { ipc = "bad.arrow" }
`)
	f.write("report.json", thund(t, "run", g, "--json", "-q").wants(4).out)
	thund(t, "graph", g, "--run", f.file("report.json")).wants(0, "2,000 rows, 49 kB, most ", "of 8", "1,998 rows", "<~ s", "2 rows, ")
	thund(t, "graph", g, "--run", f.file("report.json"), "--format", "svg").wants(0, `class="edge ran"`, "2,000 · 49 kB", `class="edge weak ran"`)
}
