// SPDX-License-Identifier: MIT

//go:build !linux || !cgo || (!amd64 && !arm64)

package engine

import (
	"strings"
	"testing"
)

func TestTheAdviceFitsTheTarget(t *testing.T) {
	for target, wanted := range map[string]string{
		"darwin/arm64":  "Linux container",
		"windows/amd64": "Linux container",
		"linux/riscv64": "Linux container",
		"linux/arm64":   "CGO_ENABLED=1 and gcc and g++ 12 or later, and on a machine other than linux/arm64 also with CC=aarch64-linux-gnu-gcc and CXX=aarch64-linux-gnu-g++",
		"linux/amd64":   "CC=x86_64-linux-gnu-gcc and CXX=x86_64-linux-gnu-g++",
	} {
		goos, goarch, _ := strings.Cut(target, "/")
		text := advice(goos, goarch)
		if !strings.Contains(text, wanted) {
			t.Errorf("%s: got %q, want %q in it", target, text, wanted)
		}
		if strings.Contains(text, ". ") || strings.Contains(text, "\n") {
			t.Errorf("%s: %q is more than one sentence", target, text)
		}
	}
}

func TestNamesAreKnownWithoutTheEngine(t *testing.T) {
	for reason, name := range map[int32]string{0: "NONE", 1063: "INPUT_FAILED", 3001: "CANNOT_OPEN", -1: "UNKNOWN"} {
		if got := ReasonName(reason); got != name {
			t.Errorf("reason %d: got %s, want %s", reason, got, name)
		}
	}
	for code, name := range map[int32]string{0: "OK", 2: "BAD_DATA", 15: "INTERNAL", 16: "UNKNOWN", -1: "UNKNOWN"} {
		if got := CodeName(code); got != name {
			t.Errorf("code %d: got %s, want %s", code, got, name)
		}
	}
}
