// SPDX-License-Identifier: MIT

// Package own has what a program adds to Thund in Go: events, tasks and steps.
package own

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/ignalina/alloy/apps/thund/api"
)

// Step is a function on whole streams. It must not read before it returns.
type Step = func(context.Context, []array.RecordReader) (array.RecordReader, error)

// Set is what a program has, by name.
type Set struct {
	Events map[string]api.IOEvent
	Tasks  map[string]api.NodeProcessor
	Steps  map[string]Step
}

// New returns an empty set.
func New() *Set {
	return &Set{Events: map[string]api.IOEvent{}, Tasks: map[string]api.NodeProcessor{}, Steps: map[string]Step{}}
}

// Panicked makes an error of a panic in f.
func Panicked(f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("it panicked: %v", cause)
		}
	}()
	return f()
}

// Handle gives a file to an event.
func Handle(event api.IOEvent, file io.Reader, entity *api.FileEntity) error {
	return Panicked(func() error {
		if !event.Process(file, entity) {
			return errors.New("it returned false")
		}
		return nil
	})
}
