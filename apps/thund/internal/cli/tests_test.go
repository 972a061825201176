// SPDX-License-Identifier: MIT

package cli

import (
	"encoding/json"
	"os"
	"testing"
)

// Acceptance 16: the example passes without its data; a wrong number shows the row, what was
// expected and what came.
func TestATestRunsRowsThroughSteps(t *testing.T) {
	f, g := flights(t)
	f.replace(g, "data/flights.csv", "data/none.csv")
	if err := os.Remove(f.file("carriers.csv")); err != nil {
		t.Fatal(err)
	}
	thund(t, "test", g).wants(0, "ok    a long flight is reported in kilometres", "1 passed, 0 failed")
	thund(t, "test", g, "--isolated").wants(0, "1 passed, 0 failed")
	f.replace(g, "7987.174272", "7987.174273")
	thund(t, "test", g).wants(1, "FAIL  a long flight is reported in kilometres", "flights.toml:5", "long, row 0",
		"distance  7987.174273  7987.174272", "0 passed, 1 failed")
	var result struct {
		Passed, Failed int
		Tests          []struct {
			Differences []struct{ Expected, Actual []string }
		}
	}
	o := thund(t, "test", g, "--json").wants(1)
	if err := json.Unmarshal([]byte(o.out), &result); err != nil || result.Failed != 1 || result.Tests[0].Differences[0].Actual[0] != "7987.174272" {
		t.Errorf("%v in %s", err, o.out)
	}
	f.wantsNoFile("out")
}

// Section 5: rows in the middle of a graph, no rows, nulls, dead letters, unions, crashes, and
// what is wrong in a test.
func TestTestsOfAnyPart(t *testing.T) {
	const nodes = `
[source]
in = { csv = "none.csv", schema = { id = "int64", note = "utf8" } }
other = { csv = "none.csv", schema = { id = "int64", note = "utf8" } }
[step.all]
union = true
from = ["in", "other"]
[step.s]
from = "all"
call = "faulty.refuse"
dead_letter = "bad"
[step.twice]
from = "s"
call = "rel.scale"
options = { column = "refuse", factor = "2" }
[sink]
out = { from = "twice", ipc = "out/x.arrow" }
bad = { ipc = "out/bad.arrow" }
[[test]]
name = "it"
`
	for name, c := range map[string]struct {
		text string
		exit int
		want []string
	}{
		"from the middle to a sink":   {"given.s = [{ refuse = 4 }]\nexpect.out = [{ refuse = 8 }]", 0, []string{"1 passed"}},
		"no rows":                     {"given.s = []\nexpect.out = []", 0, []string{"1 passed"}},
		"a row is missing":            {"given.s = [{ refuse = 4 }]\nexpect.out = [{ refuse = 8 }, { refuse = 9 }]", 1, []string{"out, row 1, is missing", "refuse  9         -"}},
		"a row is not expected":       {"given.s = [{ refuse = 4 }, { refuse = 5 }]\nexpect.out = [{ refuse = 8 }]", 1, []string{"out, row 1, is not expected", "refuse  -         10"}},
		"nothing is expected":         {"given.s = [{ refuse = 4 }]\nexpect.out = []", 1, []string{"out, row 0, is not expected"}},
		"a null is no zero":           {"given.all = [{ note = \"a\" }]\nexpect.all = [{ id = 0 }]", 2, []string{"expects what it gives"}},
		"the order of a union":        {"given.in = [{ id = 3 }]\ngiven.other = [{ id = 1, note = \"null\" }, { id = 2 }]\nexpect.all = [{ id = 1, note = \"null\" }, { id = 2 }, { id = 3 }]", 0, []string{"1 passed"}},
		"a text is no null":           {"given.in = [{ id = 3 }]\ngiven.other = []\nexpect.all = [{ id = 3, note = \"null\" }]", 1, []string{`note    "null"    null`}},
		"dead letters":                {"given.all = [{ id = 499 }, { id = 500 }]\nexpect.s = [{ refuse = 499 }]\nexpect.bad = [{ id = 500, thund_code = \"FAILED\", thund_row = 1 }]", 0, []string{"1 passed"}},
		"dead letters by surprise":    {"given.all = [{ id = 500 }]\nexpect.s = []", 1, []string{"bad, row 0, is not expected", "500 is refused"}},
		"a source without rows":       {"given.in = []\nexpect.all = []", 2, []string{`error[E0402]: test "it" gives no rows of source "other"`, "graph.toml:2", "given.other"}},
		"rows that nobody reads":      {"given.in = []\ngiven.s = []\nexpect.out = []", 2, []string{`gives rows of "in", which no expected node reads`}},
		"a name":                      {"given.inn = []\nexpect.out = []", 2, []string{`test "it" names "inn"`}},
		"a column":                    {"given.s = [{ idd = 1 }]\nexpect.out = []", 2, []string{`error[E0405]: test "it" has rows that "s" cannot have`, `row 0: there is no column "idd"`}},
		"a value":                     {"given.s = [{ refuse = \"one\" }]\nexpect.out = []", 2, []string{`row 0, column refuse: "one" is no int64`}},
		"nothing that goes in":        {"expect.out = []", 2, []string{"needs rows that go in"}},
		"a key":                       {"given.s = []\nexpected.out = []", 2, []string{`there is no key "expected"`, "write expect"}},
		"a table instead of a key":    {"[[test.given.s]]\nrefuse = 4\n[[test.expect.out]]\nrefuse = 8", 0, []string{"1 passed"}},
		"two tests, and one is false": {"given.s = [{ refuse = 4 }]\nexpect.out = [{ refuse = 8 }]\n[[test]]\nname = \"other\"\ngiven.s = [{ refuse = 4 }]\nexpect.out = [{ refuse = 9 }]", 1, []string{"ok    it", "FAIL  other (", "graph.toml:31)", "1 passed, 1 failed"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			thund(t, "test", f.graph("", nodes+c.text+"\n")).wants(c.exit, c.want...)
			f.wantsNoFile("out")
		})
	}
	f := newFolder(t)
	thund(t, "test", "--isolated", f.graph("", nodes+"given.s = []\nexpect.out = []\n[[test]]\ngiven.in = [{ id = 7 }]\ngiven.other = []\nexpect.p = []\n[step.p]\nfrom = \"all\"\ncall = \"faulty.poison\"\n[sink.p]\nfrom = \"p\"\nipc = \"out/p.arrow\"\n")).
		wants(2, `the name "p" is also that of the step`)
	thund(t, "test", "--isolated", f.graph("", nodes+"given.s = []\nexpect.out = []\n[[test]]\ngiven.in = [{ id = 7 }]\ngiven.other = []\nexpect.p = []\n[step.p]\nfrom = \"all\"\ncall = \"faulty.poison\"\n[sink.q]\nfrom = \"p\"\nipc = \"out/p.arrow\"\n")).
		wants(1, "FAIL  test 2", `step "p" failed at batch 1`, "1 passed, 1 failed")
	f.ids(1)
	thund(t, "test", f.graph("", "[source]\nin = { csv = \"ids.csv\", schema = { id = \"int64\" } }\n[sink]\no = { from = \"in\", csv = \"o.csv\" }\n")).wants(2, "the graph has no test")
}
