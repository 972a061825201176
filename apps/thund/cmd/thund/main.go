// SPDX-License-Identifier: MIT

// Thund runs a graph of native functions on Arrow batches. See `thund --help`.
package main

import (
	"os"

	"github.com/ignalina/alloy/apps/thund/internal/cli"
	"github.com/ignalina/alloy/apps/thund/internal/own"
)

func main() { os.Exit(cli.Main(os.Args[1:], own.New(), os.Stdout, os.Stderr)) }
