// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/run"
)

// mostShown is how many rows that differ are printed of one test.
const mostShown = 20

func (c *command) test() *cobra.Command {
	made := &cobra.Command{
		Use:   "test GRAPH.toml",
		Short: "Run each [[test]] of a graph: rows in, rows out",
		Long: `Run each [[test]] of a graph. Only the nodes between the given and the expected rows run, and
no file is read or written. A source that has a schema needs no file at all. Columns that
the expected rows do not name are not compared, and a missing value is a null. Numbers with
a fraction may differ by one part in 10^12. After a union, the order of the rows means nothing.`,
		Example: `  thund test flights.toml

  [[test]]
  name = "a long flight is reported in kilometres"
  given.flights = [{ carrier = "UA", dest = "HNL", distance = 4963.0 }]
  expect.long = [{ carrier = "UA", dest = "HNL", distance = 7987.174272 }]`,
		RunE: func(_ *cobra.Command, args []string) error {
			c.settings.Tests = true
			plan, err := c.prepare(args[0])
			if err != nil {
				return err
			}
			defer plan.Close()
			if len(plan.Graph.Tests) == 0 {
				return &fault.Fault{Code: fault.Name, Text: "the graph has no test", File: plan.Graph.File, Help: "add a [[test]]; thund test --help shows one", Exit: fault.ExitUsage}
			}
			ctx, stop := interruptible(plan, false, 0, c.err)
			defer stop()
			var results []run.TestResult
			failed := 0
			for _, t := range plan.Graph.Tests {
				result := plan.Test(ctx, t)
				if ctx.Err() != nil {
					return result.Errors.Err()
				}
				if !result.Passed {
					failed++
					c.exit = fault.ExitStep
				}
				if !c.asJSON {
					printResult(c.out, plan.Graph.File, result)
				}
				results = append(results, result)
			}
			if c.asJSON {
				c.print(map[string]any{"tests": results, "passed": len(results) - failed, "failed": failed})
			} else {
				fmt.Fprintf(c.out, "%d passed, %d failed\n", len(results)-failed, failed)
			}
			return nil
		},
	}
	c.flags(made)
	return made
}

// printResult prints the result of a test: the name, and each row that differs.
func printResult(out io.Writer, file string, result run.TestResult) {
	if result.Passed {
		fmt.Fprintln(out, "ok    "+result.Name)
		return
	}
	fmt.Fprintf(out, "FAIL  %s (%s:%d)\n", result.Name, file, result.Line)
	for _, f := range result.Errors {
		fmt.Fprintln(out, "      "+strings.ReplaceAll(f.Error(), "\n", "\n      "))
	}
	for i, d := range result.Differences {
		if i == mostShown {
			fmt.Fprintf(out, "      and %d more rows differ\n", len(result.Differences)-i)
			break
		}
		fmt.Fprintf(out, "      %s, row %d", d.Node, d.Row)
		switch {
		case d.Actual == nil:
			fmt.Fprint(out, ", is missing")
		case d.Expected == nil:
			fmt.Fprint(out, ", is not expected")
		}
		fmt.Fprintln(out)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "        COLUMN\tEXPECTED\tACTUAL")
		for at, column := range d.Columns {
			fmt.Fprintf(w, "        %s\t%s\t%s\n", column, cellAt(d.Expected, at), cellAt(d.Actual, at))
		}
		w.Flush()
	}
}

func cellAt(cells []string, at int) string {
	if cells == nil {
		return "-"
	}
	return cells[at]
}
