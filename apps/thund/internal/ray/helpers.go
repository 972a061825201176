// SPDX-License-Identifier: MIT

package ray

import _ "embed"

// The parts of a job that are the same for each graph.
var (
	//go:embed imports.py
	imports string
	//go:embed helpers.py
	helpers string
	//go:embed letters.py
	letterHelpers string
)
