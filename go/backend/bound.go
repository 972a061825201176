// SPDX-License-Identifier: MIT

package backend

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy/go/abi"
	"github.com/ignalina/alloy/go/cdata"
)

// bound is a function that is bound to schemas and options: the state of the C ABI.
//
// Threads: serial.
type bound struct {
	function *Function
	options  map[string]string
	state    any
	inputs   []*cdata.Plan
	output   *cdata.Plan
	exporter *cdata.Exporter
}

// bind returns the state of a bind. Values are those of the options, in their order.
func bind(f *Function, s *scope, inputs []*arrow.Schema, values []string) (made *bound, err error) {
	defer caught(&err)
	made = &bound{function: f, options: map[string]string{}}
	for i, option := range f.Options {
		made.options[option.Name] = values[i]
	}
	for i, schema := range inputs {
		plan, err := cdata.NewPlan(schema)
		if err != nil {
			return nil, Errorf(NoMatch, "input %d: %w", i, err)
		}
		made.inputs = append(made.inputs, plan)
	}
	output := f.Output
	if f.Bind != nil {
		b := &Binding{Inputs: inputs, options: made.options, scope: s}
		output, err = f.Bind(b)
		if err != nil {
			return nil, err
		}
		made.state = b.State
	}
	if output == nil {
		return nil, Errorf(Failed, "Bind of the function returned no schema and no error")
	}
	if made.output, err = cdata.NewPlan(output); err != nil {
		return nil, err
	}
	made.exporter = cdata.NewExporter([]*cdata.Plan{made.output})
	return made, nil
}

func (b *bound) call(s *scope) *Call {
	c := &Call{Output: b.output.Schema, State: b.state, options: b.options, scope: s}
	c.context.scope = s
	return c
}

// run calls the function. The caller releases the inputs, and the result if there is one.
func (b *bound) run(s *scope, inputs []arrow.RecordBatch) (result arrow.RecordBatch, err error) {
	c := b.call(s)
	defer c.context.finish()
	defer caught(&err)
	made, err := b.function.Run(c, inputs)
	if err != nil {
		return nil, err
	}
	if err := b.accept(made, inputs); err != nil {
		return nil, err
	}
	return made, nil
}

// accept checks a result against the schema of bind. A result that is an input gets a
// reference of its own.
func (b *bound) accept(result arrow.RecordBatch, inputs []arrow.RecordBatch) error {
	if result == nil {
		return Errorf(Failed, "the function returned no batch and no error")
	}
	for _, input := range inputs {
		if result == input {
			result.Retain()
			break
		}
	}
	if result.Schema() == b.output.Schema {
		return nil
	}
	if text := cdata.Difference(result.Schema(), b.output.Schema, "the schema that was bound"); text != "" {
		result.Release()
		return Errorf(Failed, "%s", text)
	}
	return nil
}

// runStructs runs the function over batches in C memory, which it moves out of their structs.
func (b *bound) runStructs(s *scope, inputs []abi.Array, output *abi.WrittenArray) (err error) {
	defer caught(&err)
	batches := make([]arrow.RecordBatch, len(inputs))
	for i := range inputs {
		if batches[i], err = takeBatch(b.inputs[i], &inputs[i]); err != nil {
			return Errorf(BadData, "input %d: %w", i, err)
		}
		defer batches[i].Release()
	}
	result, err := b.run(s, batches)
	if err != nil {
		return err
	}
	return b.give(result, output)
}

// takeBatch moves a batch out of a struct and makes arrays over its memory.
func takeBatch(plan *cdata.Plan, from *abi.Array) (arrow.RecordBatch, error) {
	result := cdata.NewResult(memory.DefaultAllocator, nil)
	result.Array = *from
	from.Release = nil
	return cdata.Import(plan, result)
}

// give moves a batch to C. It takes the batch.
func (b *bound) give(batch arrow.RecordBatch, output *abi.WrittenArray) error {
	defer batch.Release()
	return b.exporter.Move(cdata.Batch{Columns: batch.Columns(), Rows: batch.NumRows(), Owner: batch}, output)
}

// Try calls a map function without the boundary, for tests of an author. Options that are
// not given have their defaults. The caller releases the result.
func Try(f Function, options map[string]string, inputs ...arrow.RecordBatch) (arrow.RecordBatch, error) {
	if fault := f.fault(); fault != "" {
		return nil, fmt.Errorf("function %q %s", f.Name, fault)
	}
	if f.Run == nil {
		return nil, fmt.Errorf("function %q is a stream function; call its Stream", f.Name)
	}
	schemas := make([]*arrow.Schema, len(inputs))
	for i, input := range inputs {
		schemas[i] = input.Schema()
	}
	given := make([]string, len(f.Options))
	for i, option := range f.Options {
		given[i] = option.Default
		if text, ok := options[option.Name]; ok {
			given[i] = text
		}
	}
	made, err := bind(&f, nil, schemas, given)
	if err != nil {
		return nil, err
	}
	return made.run(nil, inputs)
}
