// SPDX-License-Identifier: MIT

package engine

// codes are the names of the codes. Errors need them even in a program without the engine.
var codes = [...]string{
	"OK", "INVALID", "BAD_DATA", "NO_MATCH", "NOT_FOUND", "REFUSED", "FAILED", "RETRY",
	"CANCELLED", "TIMEOUT", "LOST", "EXHAUSTED", "BUSY", "CLOSED", "UNSUPPORTED", "INTERNAL",
}

// CodeName returns the name of a code, such as BAD_DATA; "UNKNOWN" if it is not known.
func CodeName(code int32) string {
	if code >= 0 && int(code) < len(codes) {
		return codes[code]
	}
	return "UNKNOWN"
}
