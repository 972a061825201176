// SPDX-License-Identifier: MIT

package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/ignalina/alloy/apps/thund/internal/ray"
)

func (c *command) ray() *cobra.Command {
	made := &cobra.Command{
		Use:   "ray GRAPH.toml",
		Short: "Print the graph as a Ray job in Python",
		Long: `Print the graph as a Ray job: a Python program that uses Alloy's package. Each process that runs
a step verifies its library: the digest and the signer of this moment. All nodes must see
libraries, certificates and files under the same paths. Sinks of Parquet and CSV become folders.

What Ray cannot do is refused, with the name of each step: sockets, each, tasks and Go steps,
functions on several streams, and functions on a stream without partition_by.`,
		Example: "  thund ray simple.toml > job.py && python job.py",
		RunE: func(_ *cobra.Command, args []string) error {
			plan, err := c.prepare(args[0])
			if err != nil {
				return err
			}
			defer plan.Close()
			job, err := ray.Job(plan, c.unsigned)
			if err == nil {
				_, err = io.WriteString(c.out, job)
			}
			return err
		},
	}
	c.flags(made)
	return made
}
