// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package alloy

import (
	"testing"

	"github.com/ignalina/alloy/go/cdata"
)

// TestReasonsHaveTheEnginesNumbers compares the numbers that are written in Go.
func TestReasonsHaveTheEnginesNumbers(t *testing.T) {
	for reason, name := range map[Reason]string{
		reasonStreamSchema: "STREAM_SCHEMA", reasonInputFailed: "INPUT_FAILED",
		reasonCertificateDER: "CERTIFICATE_DER", reasonCannotOpen: "CANNOT_OPEN",
		reasonNilArgument: "ARGUMENT_NULL", reasonNULByte: "ARGUMENT_NUL_BYTE",
		reasonOutOfRange: "ARGUMENT_RANGE", reasonSameStream: "SAME_STREAM",
		reasonHostArray: "HOST_ARRAY", reasonHostType: "HOST_TYPE", reasonHostCode: "HOST_CODE", reasonIPC: "IPC",
		ReasonWorkerSignal: "WORKER_SIGNAL", ReasonWorkerExit: "WORKER_EXIT", ReasonWorkerHang: "WORKER_HANG",
		ReasonWorkerMemory: "WORKER_MEMORY", ReasonWorkerViolation: "WORKER_VIOLATION",
		cdata.ChildCount: "CHILD_COUNT", cdata.DictionaryMissing: "DICTIONARY_MISSING",
		cdata.ArrayReleased: "ARRAY_RELEASED", cdata.BufferCount: "BUFFER_COUNT",
	} {
		if reason.String() != name {
			t.Errorf("%d is %s, want %s", int32(reason), reason, name)
		}
	}
}
