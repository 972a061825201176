// SPDX-License-Identifier: MIT

//go:build race && linux && cgo && (amd64 || arm64)

package bridge_test

const raceDetector = true
