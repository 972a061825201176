// SPDX-License-Identifier: MIT

package api

// PipelineProcessor is a node that has events.
type PipelineProcessor struct {
	IOEventImpl   []IOEvent
	ProcessorImpl NodeProcessor
}

// Setup sets the node up. Its error is returned, which the first Thund dropped.
func (p PipelineProcessor) Setup(customParams interface{}) error {
	return p.ProcessorImpl.Setup(customParams)
}

// Process runs the node once.
func (p PipelineProcessor) Process() error { return p.ProcessorImpl.Process() }
