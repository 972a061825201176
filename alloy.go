// SPDX-License-Identifier: MIT

// Package alloy calls native functions that someone else wrote in Rust, C++ or C. The
// functions work on Apache Arrow data, and only pointers cross: nothing is copied.
//
//	var goBridge alloy.GoBridge
//	certificate, err := alloy.ReadCertificate("signer.crt")
//	err = goBridge.SetImplLib("libscore.so", certificate)
//	scored, err := goBridge.Call(ctx, "score", alloy.Options{"scale": "2"}, batch)
//	defer scored.Release()
//
// Start with [GoBridge]. Its method [GoBridge.Functions] lists what a library can do,
// [GoBridge.Call] works on batches, and [GoBridge.Stream] on readers. Every error is an
// [Error], whose code states what to do next. [ReadIPC] and [WriteIPC] connect streams with
// files and sockets.
//
// Results are memory of the library, which Go does not collect: call Release on each of them.
//
// Alloy needs Linux on x86-64 or arm64 with glibc, cgo and g++ 12 or later. To build for the
// other of the two architectures, set CGO_ENABLED=1, GOARCH, and CC and CXX to compilers for
// it, such as CC=aarch64-linux-gnu-gcc and CXX=aarch64-linux-gnu-g++. Elsewhere programs build
// as well, but each use of a bridge returns Unsupported. So does a load in a program that is
// linked statically.
package alloy

import (
	"fmt"
	"os"
	"time"

	"github.com/ignalina/alloy/go/engine"
)

// Version returns the version of Alloy's engine, such as 0.1.0. It is empty in a program
// without the engine: see Unsupported.
func Version() string { return engine.Version() }

// Info writes one line of the program to standard output, in the form of Alloy's log.
func Info(text string) {
	fmt.Fprintf(os.Stdout, "[%s] [INFO] [Go]\t%s\n", time.Now().Format(time.DateTime), text)
}
