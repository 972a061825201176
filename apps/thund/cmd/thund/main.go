// SPDX-License-Identifier: MIT

// Thund runs a graph of native functions on Arrow batches. See `thund --help`.
package main

import (
	"os"

	"github.com/ignalina/alloy/apps/thund/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) }
