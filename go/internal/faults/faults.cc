// SPDX-License-Identifier: MIT
//
// cgo compiles the sources of this folder only.
#include "../../../tests/faults/faults.cc"
