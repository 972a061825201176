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
