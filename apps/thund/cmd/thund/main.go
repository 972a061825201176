// SPDX-License-Identifier: MIT

// Thund runs a graph of native functions on Arrow batches. See `thund --help`.
package main

import "github.com/ignalina/alloy/apps/thund"

func main() { thund.Main() }
