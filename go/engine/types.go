// SPDX-License-Identifier: MIT

package engine

import "log/slog"

// Fault is an error of the engine, field by field. Package bridge makes an Error of it.
type Fault struct {
	Code, Reason, Input, Column int32
	Side                        uint16
	Text                        string
}

// Loading is the policy of a host for libraries. The header alloy.h explains each part.
type Loading struct {
	AllowUnsigned, Plainly bool
	MayNeed                []string // no entry contains a NUL byte
}

// BridgeOptions are the settings for one library. The header alloy.h explains each of them.
// No text contains a NUL byte.
type BridgeOptions struct {
	CheckInputs, CheckResults uint32
	Name, Sidecar             string
	MinSequence               uint64
}

// Function describes one function of a backend.
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

// Option describes one option of a function.
type Option struct {
	Name, Summary string
	// Fallback is the value if the caller passes none.
	Fallback string
	// Required options have no fallback.
	Required bool
}

// Column describes one column that a function reads.
type Column struct {
	Name, Summary string
	// Accepts lists the accepted types as C data interface formats, separated by spaces. Empty
	// is any type.
	Accepts string
}

// Backend describes the backend of a bridge.
type Backend struct {
	Name, Version string
	// Language is the language that it is written in, as it says itself.
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

// Logger receives the log lines of a host, one at a time.
type Logger func(level slog.Level, language, text string)

// Source serves one input stream. One thread at a time calls Next.
type Source interface {
	// Next writes the next batch to out. At the end it leaves out released.
	Next(out *WrittenArray) error
	// Failed is called when a stream that was passed on has failed.
	Failed()
	// Done is called when the input is released. Any thread.
	Done()
}
