// SPDX-License-Identifier: MIT

package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/files"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
	"github.com/ignalina/alloy/apps/thund/internal/own"
)

// mostWait is the longest time between two looks at a folder.
const mostWait = time.Second

// Outcome is how the run of one file has ended.
type Outcome struct {
	Path    string
	Seconds float64
	Err     error // the file is ignored
	Report  *Report
}

// each is the runs of a graph for the files of a folder.
type each struct {
	plan   *Plan
	source *graph.Node
	folder *files.Folder
	report *Report
	tell   func(Outcome)
}

// RunEach runs a graph once for each file that has no marker, the oldest first. Watch: until the
// plan drains; otherwise for the files that are there now. A file whose run fails is ignored;
// an error that has nothing to do with a file ends all.
func RunEach(ctx context.Context, p *Plan, watch bool, tell func(Outcome)) (report *Report, err error) {
	defer func() { p.live.ended(err) }()
	begin := time.Now()
	e := &each{plan: p, source: p.Graph.EachSource(), report: newReport(p), tell: tell}
	defer func() { e.report.Seconds = time.Since(begin).Seconds() }()
	if e.folder, err = files.OpenFolder(e.source); err != nil {
		return e.report, e.folderFault(err)
	}
	defer e.folder.Close()
	p.live.started(nil)
	var first map[string]bool // the files of the first look; nil: all
	for {
		if err := p.RunTasks(); err != nil {
			return e.report, err
		}
		ready, all, err := e.folder.Look()
		if err != nil {
			return e.report, e.folderFault(err)
		}
		if !watch && first == nil {
			first = map[string]bool{}
			for _, path := range all {
				first[path] = true
			}
		}
		for _, path := range ready {
			if p.IsDraining() {
				return e.report, nil
			}
			if watch || first[path] {
				if err := e.one(ctx, path); err != nil {
					return e.report, err
				}
				delete(first, path)
			}
		}
		if !watch && !anyOf(all, first) {
			return e.report, nil
		}
		select {
		case <-ctx.Done():
			return e.report, context.Cause(ctx)
		case <-p.drain:
			return e.report, nil
		case <-time.After(max(20*time.Millisecond, min(e.source.Grace/2, mostWait))):
		}
	}
}

func anyOf(paths []string, in map[string]bool) bool {
	for _, path := range paths {
		if in[path] {
			return true
		}
	}
	return false
}

func (e *each) folderFault(err error) error {
	f := e.plan.At(e.source, fault.Source, "done", fmt.Sprintf("the folders of source %q cannot be used", e.source.Name), "correct the path or its rights, or end the other run")
	f.Detail, f.Exit, f.Cause = []string{err.Error()}, fault.ExitMachine, err
	return f
}

// one runs the graph for a file, and writes its marker. The marker is last, so that a file
// without one runs again.
func (e *each) one(ctx context.Context, path string) error {
	begin := time.Now()
	report, err := e.runFile(ctx, path)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil && files.IsGone(path) {
		return nil // somebody has taken it away
	}
	for _, f := range fault.All(err) {
		if f.Exit == fault.ExitMachine && f.Code != fault.Source {
			return err // a full disk, for example, is no fault of the file
		}
	}
	ending, text := files.Done, filepath.Base(path)
	if err != nil {
		ending, text = files.Ignored, err.Error()
	}
	if err := e.folder.Mark(path, ending, text); err != nil {
		return e.folderFault(err)
	}
	size := int64(0)
	if info, err := os.Stat(path); err == nil {
		size = info.Size()
	}
	e.report.addFile(path, size, e.source.Name, report, err)
	e.plan.live.file(e.report.Files)
	e.tell(Outcome{path, time.Since(begin).Seconds(), err, report})
	return nil
}

// runFile runs the graph and the events of a file.
func (e *each) runFile(ctx context.Context, path string) (*Report, error) {
	if twin := e.folder.Twin(path); twin != "" {
		f := e.plan.At(e.source, fault.Source, e.source.Format, fmt.Sprintf("the outputs of %s would replace those of %s", path, twin), "give each file a name of its own before its extension")
		return nil, f
	}
	p, err := e.plan.forFile(path)
	if err != nil {
		return nil, err
	}
	report, err := runOnce(ctx, p)
	if err != nil || len(e.source.Events) == 0 {
		return report, err
	}
	entity, err := files.EntityOf(e.source, path)
	if err != nil {
		return report, e.eventFault(path, "", err)
	}
	for _, name := range e.source.Events {
		opened, err := os.Open(path)
		if err != nil {
			return report, e.eventFault(path, name, err)
		}
		copied := *entity
		err = own.Handle(e.plan.Own.Events[name], opened, &copied)
		opened.Close()
		if err != nil {
			return report, e.eventFault(path, name, err)
		}
	}
	return report, nil
}

func (e *each) eventFault(path, name string, err error) error {
	f := e.plan.At(e.source, fault.Step, "events", fmt.Sprintf("event %q failed for %s", name, path), "correct the event or the file; without its marker, the file runs again")
	f.Detail, f.Exit, f.Cause = []string{err.Error()}, fault.ExitStep, err
	return f
}

// forFile makes the plan of one file: it has a path of its own for each sink, and its types
// are checked before a row moves. The backends are those of the whole plan.
func (p *Plan) forFile(path string) (*Plan, error) {
	g, of := p.Graph.Part(func(*graph.Node) bool { return true }, func(*graph.Node) bool { return false })
	made := &Plan{Graph: g, Own: p.Own, Trace: p.Trace, file: path, Schemas: map[*graph.Node]*arrow.Schema{}, Steps: map[*graph.Node]*Function{},
		sources: map[*graph.Node]*files.Source{}, drain: p.drain, live: p.live}
	for _, n := range g.Nodes {
		made.Steps[n] = p.Steps[of[n]]
		if n.Each {
			n.Path, n.Each = path, false
		}
		if n.Kind == graph.Sink {
			n.Path = strings.ReplaceAll(n.Path, graph.Stem, files.StemOf(path))
		}
	}
	if faults := made.bindAll(); len(faults) > 0 {
		return nil, faults
	}
	if faults := made.checkSinks(); len(faults) > 0 {
		return nil, faults
	}
	return made, nil
}

// errLater says that the types of a source are known only when it is read.
var errLater = errors.New("its types are checked when it is read")

// openEach returns what is known of the files before a run: the schema of the graph file, or
// that of the first file that can be read.
func (p *Plan) openEach(n *graph.Node) (*files.Source, error) {
	if len(n.Columns) > 0 {
		return files.OpenSource(n, true)
	}
	paths, err := filepath.Glob(n.Path)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		one := *n
		one.Path = path
		if source, err := files.OpenSource(&one, false); err == nil {
			return source, nil
		}
	}
	return nil, errLater
}
