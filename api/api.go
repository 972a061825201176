// SPDX-License-Identifier: MIT

// Package api has the names that programs for the first Alloy import from here. New
// programs import package alloy, which has these and all others.
package api

import "github.com/ignalina/alloy"

// GoBridge calls the functions of one backend. See [alloy.GoBridge].
type GoBridge = alloy.GoBridge

// Info writes one line of the program to standard output, in the form of Alloy's log.
func Info(text string) { alloy.Info(text) }
