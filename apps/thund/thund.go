// SPDX-License-Identifier: MIT

// Package thund builds a Thund with own Go code. The program has all commands of thund, and
// its graphs may name what it registers:
//
//	func main() {
//		thund.Main(
//			thund.Event("json", &mine.KafkaEmit{}),
//			thund.Task("rclone", mine.NewRCLONE("rclone")),
//			thund.Step("upper", upper),
//		)
//	}
package thund

import (
	"context"
	"fmt"
	"os"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/ignalina/alloy/apps/thund/api"
	"github.com/ignalina/alloy/apps/thund/internal/cli"
	"github.com/ignalina/alloy/apps/thund/internal/own"
)

// Option is something in Go that graphs may name.
type Option func(*own.Set)

// Event adds an event, which a source with each = true calls for each file: events = ["name"].
func Event(name string, event api.IOEvent) Option {
	return func(s *own.Set) { add(s.Events, "event", name, event) }
}

// Task adds a task, which runs before each run of a graph: [task.x] go = "name".
func Task(name string, task api.NodeProcessor) Option {
	return func(s *own.Set) { add(s.Tasks, "task", name, task) }
}

// Step adds a step: [step.x] go = "name". The function gets a reader for each input, and its
// reader is read to its end. It is also called with empty readers, which ask for the schema of
// its result, so it must not read before it returns. The inputs are borrowed: they are valid
// until the step has ended.
func Step(name string, step func(context.Context, []array.RecordReader) (array.RecordReader, error)) Option {
	return func(s *own.Set) { add(s.Steps, "step", name, step) }
}

func add[T any](to map[string]T, what, name string, value T) {
	if _, known := to[name]; known || name == "" {
		panic(fmt.Sprintf("thund: the %s %q is there twice, or has no name", what, name))
	}
	to[name] = value
}

// Main runs the program with the arguments of the process, and ends the process.
func Main(options ...Option) {
	set := own.New()
	for _, option := range options {
		option(set)
	}
	os.Exit(cli.Main(os.Args[1:], set, os.Stdout, os.Stderr))
}
