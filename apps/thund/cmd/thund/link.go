// SPDX-License-Identifier: MIT

package main

// The engine is C++. With its runtime inside, the program needs only libc and libm, and runs
// on machines without a compiler's libraries.

// #cgo LDFLAGS: -static-libstdc++ -static-libgcc
import "C"
