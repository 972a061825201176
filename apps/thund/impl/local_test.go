// SPDX-License-Identifier: MIT

package impl

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/ignalina/alloy/apps/thund/api"
)

type node struct {
	setups, runs int
	params       interface{}
	setup        error
	process      func(run int) error
}

func (n *node) Setup(customParams interface{}) error {
	n.setups++
	n.params = customParams
	return n.setup
}

func (n *node) Process() error {
	n.runs++
	return n.process(n.runs)
}

// The deployed nodes run in their order until a signal, and do not spin.
func TestTheDeployedNodesRunUntilASignal(t *testing.T) {
	var order []string
	first := &node{process: func(int) error { order = append(order, "first"); return nil }}
	second := &node{process: func(run int) error {
		order = append(order, "second")
		if run == 3 {
			return syscall.Kill(syscall.Getpid(), syscall.SIGTERM)
		}
		return nil
	}}
	var local api.Thund = &ThundLocal{}
	pipeline := api.PipelineProcessor{ProcessorImpl: second}
	if err := local.Deploy(api.DAG{Nodes: []api.DAGNode{{Name: "first", NodeProcessor: first}, {Name: "second", NodeProcessor: pipeline}}}, 7); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := local.Start(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took < 2*pause {
		t.Errorf("three rounds without work took %v: the loop spins", took)
	}
	if first.setups != 1 || second.setups != 1 || second.params != 7 || len(order) < 6 || order[0] != "first" || order[1] != "second" || len(order) > 8 {
		t.Error(first, second, order)
	}
}

// Errors, which the first Thund dropped, are returned with the name of the node.
func TestErrorsAreReturned(t *testing.T) {
	broken := errors.New("broken")
	for _, n := range []*node{{setup: broken}, {process: func(int) error { return broken }}} {
		local := &ThundLocal{}
		err := local.Deploy(api.DAG{Nodes: []api.DAGNode{{Name: "n", NodeProcessor: api.PipelineProcessor{ProcessorImpl: n}}}}, nil)
		if err == nil {
			err = local.Start()
		}
		if !errors.Is(err, broken) {
			t.Error(err)
		}
	}
	if err := (&ThundLocal{}).Start(); err == nil {
		t.Error("a start without nodes is an error")
	}
	if err := (&ThundLocal{}).Deploy(api.DAG{Nodes: []api.DAGNode{{Name: "n"}}}, nil); err == nil {
		t.Error("a node without a processor is an error")
	}
}
