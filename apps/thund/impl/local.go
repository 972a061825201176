// SPDX-License-Identifier: MIT

// Package impl has what runs the nodes of the first Thund: plain Go, without graph files.
package impl

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ignalina/alloy/apps/thund/api"
)

const (
	// A round that took less time had nothing to do.
	idleRound = time.Millisecond
	pause     = 100 * time.Millisecond
)

// ThundLocal runs the nodes of a DAG in this process, one after another, again and again. Write
// &impl.ThundLocal{}: it keeps what was deployed.
type ThundLocal struct{ dag api.DAG }

var _ api.Thund = (*ThundLocal)(nil)

// Deploy sets each node up. The first error ends it.
func (t *ThundLocal) Deploy(dag api.DAG, customParams interface{}) error {
	for _, node := range dag.Nodes {
		if node.NodeProcessor == nil {
			return fmt.Errorf("node %q has no processor", node.Name)
		}
		if err := node.NodeProcessor.Setup(customParams); err != nil {
			return fmt.Errorf("node %q cannot be set up: %w", node.Name, err)
		}
	}
	t.dag = dag
	return nil
}

// Start runs the nodes until SIGINT or SIGTERM, which end it after the round, or until a node
// fails. It sleeps after a round in which there was nothing to do.
func (t *ThundLocal) Start() error {
	if len(t.dag.Nodes) == 0 {
		return errors.New("no node is deployed")
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(stop)
	for {
		begin := time.Now()
		for _, node := range t.dag.Nodes {
			if err := node.NodeProcessor.Process(); err != nil {
				return fmt.Errorf("node %q failed: %w", node.Name, err)
			}
		}
		wait := time.Duration(0)
		if time.Since(begin) < idleRound {
			wait = pause
		}
		select {
		case <-stop:
			return nil
		case <-time.After(wait):
		}
	}
}
