// SPDX-License-Identifier: MIT

// Backend is a backend in Go: one function, on each row of the columns x and y.
package main

import (
	"math"

	"github.com/ignalina/alloy/go/backend"
)

func init() {
	backend.Register("example.points", "0.1.0", backend.Rows2("distance", "x", "y", math.Hypot))
}

func main() {} // a library: it never runs
