// SPDX-License-Identifier: MIT

// Package cli is the command line.
package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
	"github.com/ignalina/alloy/apps/thund/internal/own"
)

const example = `  thund validate flights.toml
  thund run flights.toml
  thund run flights.toml --isolated --set factor=1

A graph file:

  [graph]
  format = 1
  certificate = "dev.crt"
  params = { factor = "1.609344" }

  [backend]
  rel = { library = "lib/aggregate_rust.so" }

  [source]
  flights = { csv = "flights.csv", schema = { carrier = "utf8", distance = "float64" } }

  [step.km]
  call = "rel.scale"
  from = ["flights"]
  options = { column = "distance", factor = "${factor}" }

  [sink]
  report = { from = "km", parquet = "out/km.parquet" }`

const exitCodes = `Exit codes:
  0    ok
  1    a step's own error, the memory limit, too many dead letters, or a failed test
  2    the command line or the graph file is wrong
  3    a file or a program is missing or unusable
  4    done, but with dead letters or ignored files
  5    the deadline of the run, or the time of a graceful shutdown, has passed
  10-19  trust, as in arrowalloy: unsigned 10, changed bytes 11, untrusted 12, expired 13
  20   a worker has died
  21   a step has exceeded its timeout
  130, 143  ended by SIGINT or SIGTERM
  141  the program that reads the output has ended`

// command is what the commands share.
type command struct {
	out, err io.Writer
	asJSON   bool
	quiet    bool
	settings graph.Settings
	set      []string // NAME=VALUE
	unsigned bool
	exit     int
	own      *own.Set
}

// Main runs the program, with what it has in Go, and returns its exit code.
func Main(args []string, set *own.Set, out, err io.Writer) int {
	c := &command{out: out, err: err, own: set}
	root := &cobra.Command{
		Use:           "thund",
		Short:         "Run a graph of signed native functions on Arrow batches",
		Long:          "Thund runs one text file: a graph of sources, native steps and sinks, between which\nArrow batches flow. Every edge has a schema, which is checked before a row moves.",
		Example:       example,
		SilenceErrors: true, SilenceUsage: true,
	}
	root.SetHelpTemplate(root.HelpTemplate() + "\n" + exitCodes + "\n")
	root.SetOut(out)
	root.SetErr(err)
	root.SetArgs(args)
	root.AddCommand(c.validate(), c.run(), c.test(), c.ray(), c.graph(), c.top(), c.tap())
	if failure := root.Execute(); failure != nil {
		return c.fail(failure)
	}
	return c.exit
}

// flags adds what every command has that reads a graph.
func (c *command) flags(made *cobra.Command) {
	made.Args = cobra.ExactArgs(1)
	flags := made.Flags()
	flags.StringArrayVar(&c.set, "set", nil, "the value of ${NAME} in the graph file, as NAME=VALUE")
	flags.StringVar(&c.settings.Certificate, "certificate", "", "the trust anchor, instead of that of [graph]")
	flags.BoolVar(&c.settings.Isolated, "isolated", false, "run all steps in worker processes")
	flags.BoolVar(&c.unsigned, "allow-unsigned", false, "let backends without a certificate run")
	flags.BoolVar(&c.asJSON, "json", false, "print one JSON object")
}

// fail prints an error and returns the exit code. An error that is not Thund's is one of
// the command line.
func (c *command) fail(err error) int {
	var ours *fault.Fault
	var list fault.List
	if !errors.As(err, &ours) && !errors.As(err, &list) {
		fmt.Fprintf(c.err, "error: %v\n  help: thund --help\n", err)
		return fault.ExitUsage
	}
	list = fault.All(err)
	if c.asJSON {
		c.print(map[string]any{"errors": list})
	} else {
		fmt.Fprintln(c.err, list.Error())
	}
	exit := fault.ExitOK
	for _, f := range list {
		exit = max(exit, f.Exit)
	}
	return exit
}

func (c *command) print(value any) {
	encoder := json.NewEncoder(c.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		fmt.Fprintln(c.err, "error:", err)
		c.exit = fault.ExitMachine
	}
}
