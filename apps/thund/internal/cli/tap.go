// SPDX-License-Identifier: MIT

package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ignalina/alloy"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/show"
)

func (c *command) tap() *cobra.Command {
	var limit int64
	var format string
	made := &cobra.Command{
		Use:   "tap NODE [GRAPH|URL]",
		Short: "Show the batches that pass a node of a running graph",
		Long: `Show the next batches of a node: those that it makes, or of a sink, those that it gets. They are
written to standard output as an Arrow IPC stream, or on a terminal as a table. The graph never
waits: batches that come faster than they can be shown are left out.

Over a URL it works only if the run was started with --allow-tap.`,
		Example: `  thund tap km flights.toml --limit 2
  thund tap km > km.arrows`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			asTable := format == "table"
			switch format {
			case "auto":
				file, isFile := c.out.(*os.File)
				asTable = isFile && term.IsTerminal(int(file.Fd()))
			case "ipc", "table":
			default:
				return fmt.Errorf("there is no format %q; the formats are auto, ipc, table", format)
			}
			if limit < 0 {
				return fmt.Errorf("--limit %d is not a number of batches", limit)
			}
			client, err := find(args[1:])
			if err != nil {
				return err
			}
			stream, err := client.Tap(context.Background(), args[0], limit)
			if err != nil {
				return err
			}
			defer stream.Close()
			if asTable {
				err = c.table(stream)
			} else if _, err = io.Copy(c.out, stream); err != nil {
				err = broken(err)
			}
			return err
		},
	}
	made.Flags().Int64Var(&limit, "limit", 0, "end after so many batches; 0: when the run ends")
	made.Flags().StringVar(&format, "format", "auto", "ipc, table, or auto: a table on a terminal")
	return made
}

func broken(err error) error {
	return &fault.Fault{Code: fault.Source, Text: "the stream of batches broke off", Detail: []string{err.Error()}, Help: "see whether the graph still runs: thund top", Exit: fault.ExitMachine, Cause: err}
}

// table prints the first rows of each batch.
func (c *command) table(stream io.Reader) error {
	buffered := bufio.NewReader(stream)
	if _, err := buffered.Peek(1); errors.Is(err, io.EOF) {
		fmt.Fprintln(c.err, "no batch has passed")
		return nil
	}
	reader, err := alloy.ReadIPC(buffered)
	if err != nil {
		return broken(err)
	}
	defer reader.Release()
	for number := 1; reader.Next(); number++ {
		for _, line := range show.Rows(reader.RecordBatch(), number) {
			fmt.Fprintln(c.out, strings.TrimRight(line, " "))
		}
	}
	if err := reader.Err(); err != nil {
		return broken(err)
	}
	return nil
}
