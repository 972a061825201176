// SPDX-License-Identifier: MIT

//go:build !linux || !cgo || (!amd64 && !arm64)

package engine

import (
	"runtime"
	"unsafe"
)

// Here the engine is not compiled in. Programs that use the module still build, and each
// use of a bridge returns this fault.
func unsupported() *Fault {
	const unsupported, caller = 14, 0
	return &Fault{Code: unsupported, Side: caller, Input: -1, Column: -1, Text: advice(runtime.GOOS, runtime.GOARCH)}
}

// advice says why the engine is missing in a program for this target, and what to do.
func advice(goos, goarch string) string {
	target := goos + "/" + goarch
	prefix, ok := map[string]string{"amd64": "x86_64-linux-gnu-", "arm64": "aarch64-linux-gnu-"}[goarch]
	if goos != "linux" || !ok {
		return "Alloy runs on linux/amd64 and linux/arm64, but this program was built for " + target +
			"; build and run it in a Linux container or virtual machine"
	}
	return "this program was built without cgo; build it with CGO_ENABLED=1 and gcc and g++ 12 or later, " +
		"and on a machine other than " + target + " also with CC=" + prefix + "gcc and CXX=" + prefix + "g++"
}

// Version returns the version of the engine; here "", because this build has no engine.
func Version() string { return "" }

// ReasonName returns the name of a reason, such as OFFSETS; "UNKNOWN" if it is not known.
func ReasonName(reason int32) string {
	if name, ok := reasons[reason]; ok {
		return name
	}
	return "UNKNOWN"
}

// The types below exist so that the module compiles. NewHost never returns a Host, so their
// other methods are never called.
type (
	Host   struct{}
	Bridge struct{}
	Call   struct{}
	Inputs struct{}
	Stream struct{}
	Pool   struct{}
)

func NewHost(Loading, Logger) (*Host, *Fault)           { return nil, unsupported() }
func (*Host) NewBridge(BridgeOptions) (*Bridge, *Fault) { return nil, unsupported() }
func (*Bridge) Load(library, certificate string) *Fault { return unsupported() }
func (*Bridge) Functions() ([]Function, *Fault)         { return nil, unsupported() }
func (*Bridge) Backend() (Backend, *Fault)              { return Backend{}, unsupported() }
func (*Bridge) Close()                                  {}
func (*Bridge) NewPool() (*Pool, *Fault)                { return nil, unsupported() }

func (*Pool) Resize(unsafe.Pointer, int, int) unsafe.Pointer { return nil }

func (*Bridge) Bind(string, *Schema, int, []string, any) (*Call, *Fault) { return nil, unsupported() }
func (*Call) SetLog(int32, any)                                          {}
func (*Call) Progress() (done, total int64)                              { return 0, 0 }
func (*Call) Schema() *Schema                                            { return nil }
func (*Call) Run(*Array, *Owner, int64, uint64) *Fault                   { return unsupported() }
func (*Call) Cancel(uint64)                                              {}
func (*Call) Open(*Inputs, int64, uint64) (*Stream, *Fault)              { return nil, unsupported() }

func WatchSignals(body func()) string { body(); return "" }

func NewInputs(int) *Inputs            { return &Inputs{} }
func (*Inputs) Serve(Source, *Schema)  {}
func (*Inputs) PassOn(*Stream, Source) {}
func (*Stream) Next(*Owner) *Fault     { return unsupported() }
func (*Stream) Fault() *Fault          { return unsupported() }
func (*Stream) Release()               {}
