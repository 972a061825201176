// SPDX-License-Identifier: MIT

//go:build !cgo

package engine

// Without cgo there is no engine. The compiler prints this undefined name as the advice.
var _ = Alloy_needs_cgo__install_gcc_and_gxx_12_or_later__then_build_with_CGO_ENABLED_1
