// SPDX-License-Identifier: MIT

package backend

import (
	"fmt"
	"strings"

	"github.com/ignalina/alloy/go/cdata"
)

// registered is what Register got. Only init functions write it, and they are over before the
// engine can enter the library.
var registered struct {
	name, version string
	functions     []*Function
	fault         string // why the library has no backend
}

// Register sets the name, the version and the functions of the backend of this library. Call
// it once, from an init function. What is wrong with it is reported when a host loads the
// library.
func Register(name, version string, functions ...Function) {
	if registered.name != "" {
		registered.fault = fmt.Sprintf("backend.Register was called for %q and again for %q; a library has one backend", registered.name, name)
		return
	}
	registered.name, registered.version = name, version
	for i := range functions {
		f := &functions[i]
		if fault := f.fault(); fault != "" && registered.fault == "" {
			registered.fault = fmt.Sprintf("backend.Register: function %q %s", f.Name, fault)
		}
		registered.functions = append(registered.functions, f)
	}
	if len(functions) == 0 {
		registered.fault = "backend.Register: the backend has no functions"
	}
}

// fault returns what is wrong with the description of a function, or "".
func (f *Function) fault() string {
	texts := []string{f.Name, f.Summary}
	for _, option := range f.Options {
		texts = append(texts, option.Name, option.Summary, option.Default)
	}
	for _, columns := range f.Columns {
		for _, column := range columns {
			texts = append(texts, column.Name, column.Summary, column.Formats)
			if _, err := cdata.Accepts(column.Types); err != nil {
				return fmt.Sprintf("has the column %q: %v", column.Name, err)
			}
		}
	}
	if strings.IndexByte(strings.Join(texts, ""), 0) >= 0 {
		return "has a text with a NUL byte, which C cannot hold"
	}
	least, most := f.inputs()
	switch {
	case f.Name == "":
		return "has no name"
	case (f.Run == nil) == (f.Stream == nil):
		return "needs one of Run and Stream"
	case (f.Output == nil) == (f.Bind == nil):
		return "needs one of Output and Bind"
	case least < 0 || most < least && most != -1:
		return fmt.Sprintf("takes %d to %d inputs; the first number must not be negative, nor above the second", least, most)
	case len(f.Columns) > least:
		return fmt.Sprintf("has columns for %d inputs, but takes as few as %d", len(f.Columns), least)
	}
	return ""
}
