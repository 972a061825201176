// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"encoding/json"
	"os"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/run"
)

// failedReport is a report of a run that has failed.
type failedReport struct {
	*run.Report
	Errors fault.List `json:"errors"`
}

// writeReport writes the report to a file, if there is one, complete or not at all. It returns
// the failure of the run, and its own after it.
func writeReport(path string, report *run.Report, failure error) error {
	if path == "" {
		return failure
	}
	var value any = report
	if failure != nil {
		value = failedReport{report, fault.All(failure)}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(value)
	if err == nil {
		part := path + ".part"
		if err = os.WriteFile(part, text.Bytes(), 0o666); err == nil {
			err = os.Rename(part, path)
		}
		if err != nil {
			os.Remove(part)
		}
	}
	if err == nil {
		return failure
	}
	f := &fault.Fault{Code: fault.Sink, Text: "the report cannot be written", File: path, At: "--report", Detail: []string{err.Error()}, Help: "correct the path, or make room on the disk", Exit: fault.ExitMachine, Cause: err}
	if failure != nil {
		return append(fault.All(failure), f)
	}
	return f
}
