// SPDX-License-Identifier: MIT
package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/ignalina/alloy"
)

// statusClientGone is nginx's status for a client that did not wait. Only logs see it.
const statusClientGone = 499

// statuses are the HTTP statuses of Alloy's codes. Each other code is 500.
var statuses = map[alloy.Code]int{
	alloy.Invalid:     http.StatusBadRequest,
	alloy.BadData:     http.StatusBadRequest,
	alloy.NoMatch:     http.StatusUnprocessableEntity, // the schema does not fit the function
	alloy.NotFound:    http.StatusNotFound,
	alloy.Retry:       http.StatusServiceUnavailable,
	alloy.Cancelled:   statusClientGone,
	alloy.Timeout:     http.StatusGatewayTimeout,
	alloy.Lost:        http.StatusServiceUnavailable,
	alloy.Exhausted:   http.StatusServiceUnavailable,
	alloy.Busy:        http.StatusServiceUnavailable,
	alloy.Closed:      http.StatusServiceUnavailable,
	alloy.Unsupported: http.StatusNotImplemented,
}

// statusOf returns the HTTP status of an error.
func statusOf(err error) int {
	var e *alloy.Error
	if !errors.As(err, &e) {
		return http.StatusInternalServerError
	}
	var tooLong *http.MaxBytesError
	fromClient := e.Side == alloy.SideCaller
	switch {
	case errors.Is(err, errStopping):
		return http.StatusServiceUnavailable
	case errors.As(err, &tooLong), fromClient && e.Code == alloy.Exhausted:
		return http.StatusRequestEntityTooLarge
	case fromClient && e.Code == alloy.Failed: // the request could not be read to its end
		return http.StatusBadRequest
	}
	if status, ok := statuses[e.Code]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// problem is the body of a response that is an error.
type problem struct {
	Code   string `json:"code"`
	Reason string `json:"reason,omitempty"`
	Side   string `json:"side,omitempty"`
	Input  int    `json:"input"`  // -1: no input
	Column int    `json:"column"` // -1: no column
	Text   string `json:"text"`
}

// answer sends an error as the whole response.
func answer(w http.ResponseWriter, err error) {
	status := statusOf(err)
	p := problem{Code: alloy.Internal.String(), Input: -1, Column: -1, Text: err.Error()}
	var e *alloy.Error
	if errors.As(err, &e) {
		p = problem{Code: e.Code.String(), Side: e.Side.String(), Input: e.Input, Column: e.Column, Text: e.Text}
		if e.Reason != 0 {
			p.Reason = e.Reason.String()
		}
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(p) // the client may have gone
}

// oneLine makes a text fit for a header.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text)
}
