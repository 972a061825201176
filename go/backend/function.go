// SPDX-License-Identifier: MIT

package backend

import (
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
)

// Function describes a function of a backend. Name, and one of Run and Stream, must be set;
// and one of Output and Bind.
//
// Threads: Run and Stream of one bound function are called one at a time. Two bound functions
// may run at the same time.
type Function struct {
	Name, Summary string
	Options       []Option

	// How many inputs it takes. Both 0: one. MaxInputs -1: any number.
	MinInputs, MaxInputs int

	// For each input the columns that it reads. The engine finds them by name, in any order,
	// ignores others, and passes them in this order. An input without a list is passed whole.
	Columns [][]Column

	// Idempotent: the call may be made again after its process died.
	Idempotent bool
	// Rowwise: one input, and row i of the output depends only on row i of the input.
	Rowwise bool

	// Output is the schema of the output, if it is always the same.
	Output *arrow.Schema

	// Bind returns the schema of the output for these inputs and options. It may set State. An
	// error with the code NoMatch makes the engine try the next function of the same name.
	Bind func(b *Binding) (*arrow.Schema, error)

	// Run makes one batch of one batch of each input. It gives the result away, and borrows the
	// inputs until it returns: Retain what is kept longer. It may return an input as it is.
	Run func(call *Call, inputs []arrow.RecordBatch) (arrow.RecordBatch, error)

	// Stream makes a stream of batches from one stream for each input. It gives away each batch
	// that it yields, and ends after it has yielded an error. If yield returns false, nobody
	// wants more.
	Stream func(call *Call, inputs []*Input) iter.Seq2[arrow.RecordBatch, error]
}

// Option is an option of a function. Callers pass options as texts.
type Option struct {
	Name, Summary string
	Default       string
	Required      bool // the caller must give it; there is no default
}

// Column is a column that a function reads.
type Column struct {
	Name, Summary string
	// Types are the accepted types. Of a nested type the engine compares only the outermost
	// one. No types and no Formats: any type.
	Types []arrow.DataType
	// Formats are more accepted types, as format strings of the C data interface, separated by
	// blanks. One that ends with * is a prefix: "tsu:*" is a timestamp of any time zone.
	Formats string
}

// Binding is one bind of a function: what the caller passes before there is any data.
type Binding struct {
	// Inputs are the schemas of the inputs.
	Inputs []*arrow.Schema
	// State is kept for the calls, as Call.State.
	State any

	options map[string]string
	scope   *scope
}

// Option returns the value of an option, or its default.
func (b *Binding) Option(name string) string { return b.options[name] }

func (f *Function) inputs() (least, most int) {
	if f.MinInputs == 0 && f.MaxInputs == 0 {
		return 1, 1
	}
	if f.MaxInputs == 0 {
		return f.MinInputs, f.MinInputs
	}
	return f.MinInputs, f.MaxInputs
}
