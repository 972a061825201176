// SPDX-License-Identifier: MIT

package alloy

import "github.com/ignalina/alloy/go/engine"

// Function describes one function of a backend. See [GoBridge.Functions].
type Function struct {
	Name, Summary string
	Options       []Option
	// MinInputs and MaxInputs are the least and the greatest number of inputs. A MaxInputs of
	// -1 is any number.
	MinInputs, MaxInputs int
	// Columns has, for each input, the columns that the function reads. It is shorter than the
	// list of inputs if the function reads all columns of the last ones.
	Columns [][]Column
	// Idempotent functions may be run again after a failure.
	Idempotent bool
	// Rowwise functions make output row i from input row i only.
	Rowwise bool
	// Stream functions work on whole streams, and cannot be called on single batches.
	Stream bool
	// TrustsValues functions read their inputs without a check of their own. So their inputs
	// are checked in full, unless CheckInputs is CheckUnsafeShape.
	TrustsValues bool
}

// Option describes one option of a [Function]. Its value is passed in [Options].
type Option struct {
	Name, Summary string
	// Fallback is the value if the caller passes none.
	Fallback string
	// Required options have no fallback.
	Required bool
}

// Column describes one column that a [Function] reads.
type Column struct {
	Name, Summary string
	// Accepts lists the accepted types as formats of the Arrow C data interface, separated by
	// spaces: l is int64, i is int32, g is float64, u is string, b is bool, and so on. Empty is
	// any type.
	Accepts string
}

// Backend describes the backend of a bridge. See [GoBridge.Backend].
type Backend struct {
	Name, Version string
	// Language is the language that it is written in, as the library itself reports it.
	Language string
	// Library is the path with which it was loaded. Empty is the built-in echo.
	Library string
	// SHA256 is the digest of the file that was loaded, as 64 hexadecimal digits. It is empty
	// for the echo, and on machines without libcrypto.
	SHA256 string
	// Signer is the subject of the certificate with which the library is signed, and
	// SignerSHA256 the digest of that certificate. Both are empty without a certificate.
	Signer, SignerSHA256 string
	// Sequence is the sequence number of the signature file; 0 without a certificate.
	Sequence uint64
}

func (c *core) functions(b *GoBridge) ([]Function, error) {
	g, err := c.current(b)
	if err != nil {
		return nil, err
	}
	list, fault := g.bridge.Functions()
	if fault != nil {
		return nil, fromFault(fault)
	}
	functions := make([]Function, len(list))
	for i := range list {
		functions[i] = newFunction(&list[i])
	}
	return functions, nil
}

func newFunction(from *engine.Function) Function {
	f := Function{
		Name: from.Name, Summary: from.Summary, MinInputs: from.MinInputs, MaxInputs: from.MaxInputs,
		Idempotent: from.Idempotent, Rowwise: from.Rowwise, Stream: from.Stream, TrustsValues: from.TrustsValues,
	}
	for _, option := range from.Options {
		f.Options = append(f.Options, Option(option))
	}
	for _, input := range from.Columns {
		columns := make([]Column, len(input))
		for i, column := range input {
			columns[i] = Column(column)
		}
		f.Columns = append(f.Columns, columns)
	}
	return f
}

func (c *core) backend(b *GoBridge) (Backend, error) {
	g, err := c.current(b)
	if err != nil {
		return Backend{}, err
	}
	backend, fault := g.bridge.Backend()
	return Backend(backend), fromFault(fault)
}
