// SPDX-License-Identifier: MIT

// Package ray writes a graph as a Ray job: a Python program that uses Alloy's package.
package ray

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/files"
	"github.com/ignalina/alloy/apps/thund/internal/graph"
	"github.com/ignalina/alloy/apps/thund/internal/run"
)

// Job returns the program, or what cannot be done on Ray: all of it together.
func Job(p *run.Plan, allowUnsigned bool) (string, error) {
	w := &writer{plan: p, unsigned: allowUnsigned}
	w.refuse()
	if len(w.faults) > 0 {
		return "", w.faults
	}
	w.head()
	for _, n := range p.Graph.Nodes {
		w.blank(n)
		switch {
		case n.Kind == graph.Source:
			w.source(n)
		case n.Kind == graph.Sink:
			w.sink(n)
		case n.Union:
			w.line("%s = %s.union(%s)  # the order of its rows is not kept", variable(n), variable(n.From[0]), list(n.From[1:]))
		default:
			w.step(n)
		}
		if n.Kind != graph.Sink && len(n.Readers) > 1 {
			w.line("%s = %s.materialize()  # %d nodes read it", variable(n), variable(n), len(n.Readers))
		}
	}
	w.line("")
	w.line("print(json.dumps({\"rows\": rows, \"dead_letters\": letters}))")
	w.line("sys.exit(4 if letters else 0)")
	return w.text.String(), nil
}

type writer struct {
	plan     *run.Plan
	unsigned bool
	text     strings.Builder
	faults   fault.List
}

func (w *writer) line(format string, values ...any) {
	fmt.Fprintf(&w.text, format+"\n", values...)
}

func (w *writer) blank(n *graph.Node) { w.line("\n# %s %s", n.Kind, n.Name) }

// refuse names each node that Ray cannot run.
func (w *writer) refuse() {
	add := func(n *graph.Node, key, text, help string) {
		w.faults = append(w.faults, w.plan.At(n, fault.Cluster, key, fmt.Sprintf("%s %q %s", n.Kind, n.Name, text), help))
	}
	for _, t := range w.plan.Graph.Tasks {
		w.faults = append(w.faults, &fault.Fault{Code: fault.Cluster, Text: fmt.Sprintf("task %q is Go code, which Ray does not run", t.Name), File: w.plan.Graph.File,
			Line: t.Line, Node: t.Name, At: "[task." + t.Name + "]", Help: "remove the task from this graph, and run it before the job", Exit: fault.ExitUsage})
	}
	for _, n := range w.plan.Graph.Nodes {
		switch f := w.plan.Steps[n]; {
		case n.Socket:
			add(n, "ipc", "is a socket, which a Ray job does not serve", "read and write files")
		case n.Path == "-":
			add(n, "ipc", "is standard input or output, which a Ray job does not have", "read and write files")
		case n.Each:
			add(n, "each", "runs files one by one, and a Ray job runs once", "remove each, done and events; Ray reads all files of the pattern")
		case n.Go != "":
			add(n, "go", "is Go code, which Ray does not run", "use a native step")
		case f == nil:
		case f.Stream && len(n.From) != 1:
			add(n, "from", fmt.Sprintf("has %d inputs: a function on several streams sees only blocks on Ray", len(n.From)), "use a join of Ray in the job, or run this graph with thund run")
		case f.Stream && n.PartitionBy == nil:
			add(n, "call", "works on a whole stream, and on Ray it would see single blocks", `add partition_by = ["COLUMN"], if the function may see the rows of each key separately`)
		case f.Stream:
			for _, name := range n.PartitionBy {
				if input := w.plan.Schemas[n.From[0]]; input != nil && len(input.FieldIndices(name)) == 0 {
					add(n, "partition_by", fmt.Sprintf("has no column %q in its input; the columns are %s", name, files.Describe(input)), "correct partition_by")
				}
			}
		case n.Timeout > 0:
			add(n, "timeout", "has a time limit, which a Stage does not have", "remove timeout for this job")
		}
	}
}

func (w *writer) head() {
	g := w.plan.Graph
	w.line("# The graph %q as a Ray job, made by: thund ray %s\n#\n# All nodes need Alloy's package, and see the libraries and the files under the same paths.", g.Name, filepath.Base(g.File))
	w.line("%s", imports)
	retries := 0
	letters := false
	for _, n := range g.Nodes {
		retries = max(retries, n.Retries)
		letters = letters || n.DeadLetter != nil
	}
	w.line("ray.init(log_to_driver=False)\ncontext = ray.data.DataContext.get_current()\ncontext.execution_options.preserve_order = True")
	if retries > 0 {
		w.line("alloy.ray.configure(retries=%d)  # RETRY and LOST are tried again", retries)
	} else {
		w.line("context.raise_original_map_exception = True")
	}
	w.line("%s", helpers)
	if letters {
		w.line("%s", letterHelpers)
	}
	w.line("rows, letters = {}, 0")
}

func (w *writer) source(n *graph.Node) {
	name, schema := variable(n), w.plan.Schemas[n]
	var names []string
	for _, field := range schema.Fields() {
		names = append(names, field.Name)
	}
	paths := fmt.Sprintf("files(%s)", quoted(absolute(n.Path)))
	switch n.Format {
	case "csv":
		nulls := n.Nulls
		if nulls == nil {
			nulls = []string{""}
		}
		w.line("%s = ray.data.read_csv(%s, partitioning=None,\n    parse_options=csv.ParseOptions(delimiter=%s),\n    convert_options=csv.ConvertOptions(include_columns=%s,\n        column_types={%s},\n        null_values=%s, strings_can_be_null=True))",
			name, paths, quoted(string(n.Comma)), quoted(names), columnTypes(n), quoted(nulls))
	case "parquet":
		w.line("%s = ray.data.read_parquet(%s, partitioning=None).select_columns(%s)", name, paths, quoted(names))
	default:
		w.line("%s = ray.data.from_arrow([read_ipc(path) for path in %s])", name, paths)
	}
	var casts []string
	for _, cast := range n.Casts {
		field := schema.Field(schema.FieldIndices(cast.Name)[0])
		casts = append(casts, fmt.Sprintf("%s: %s", quoted(cast.Name), typeOf(field.Type)))
	}
	w.line("%s = %s.map_batches(shape, batch_format=\"pyarrow\", fn_args=(%s, {%s}))", name, name, quoted(names), strings.Join(casts, ", "))
	if n.Limit > 0 {
		w.line("%s = %s.limit(%d)", name, name, n.Limit)
	}
}

func (w *writer) step(n *graph.Node) {
	f, name, from := w.plan.Steps[n], variable(n), variable(n.From[0])
	arguments := []string{quoted(absolute(n.Backend.Library)), quoted(n.Function)}
	if n.Backend.Certificate != "" {
		arguments = append(arguments, quoted("@"+absolute(n.Backend.Certificate)))
	}
	arguments = append(arguments, "sha256="+quoted(f.Backend.SHA256))
	if len(n.Options) > 0 {
		arguments = append(arguments, "options="+quoted(n.Options))
	}
	if n.Isolated {
		arguments = append(arguments, "isolated=True")
	}
	if n.Heap > 0 {
		arguments = append(arguments, fmt.Sprintf("limits=alloy.Limits(heap_bytes=%d)", n.Heap))
	}
	var host []string
	if w.unsigned {
		host = append(host, "allow_unsigned=True")
	}
	if len(n.Backend.MayNeed) > 0 {
		host = append(host, "may_need="+quoted(n.Backend.MayNeed))
	}
	if host != nil {
		arguments = append(arguments, "host=alloy.Host("+strings.Join(host, ", ")+")")
	}
	w.line("stage = alloy.Stage(%s)", strings.Join(arguments, ",\n    "))
	concurrency := ""
	if n.Parallel > 1 {
		concurrency = fmt.Sprintf(", concurrency=%d", n.Parallel)
	}
	switch {
	case f.Stream:
		w.line("%s = %s.groupby(%s).map_groups(of_group(stage), batch_format=\"pyarrow\")", name, from, quoted(n.PartitionBy))
	case n.DeadLetter != nil:
		split := "False"
		if f.Idempotent && f.Rowwise {
			split = "True"
		}
		w.line("%s_all = %s.map_batches(WithLetters(stage, %s, %d, %s),\n    batch_format=\"pyarrow\", zero_copy_batch=True%s).materialize()", name, from, quoted(n.Name), n.Retries, split, concurrency)
		w.line("%s = %s_all.map_batches(results, batch_format=\"pyarrow\")", name, name)
		w.line("%s_letters = %s_all.map_batches(dead_letters, batch_format=\"pyarrow\")", name, name)
	default:
		w.line("%s = %s.map_batches(stage, batch_format=\"pyarrow\", zero_copy_batch=True%s)", name, from, concurrency)
	}
}

func (w *writer) sink(n *graph.Node) {
	name := variable(n)
	if len(n.LettersOf) > 0 {
		var all []string
		for _, step := range n.LettersOf {
			all = append(all, variable(step)+"_letters")
		}
		w.line("%s = %s%s", name, all[0], map[bool]string{true: ".union(" + strings.Join(all[1:], ", ") + ")"}[len(all) > 1])
		w.line("%s = %s.materialize()", name, name)
		w.line("letters += %s.count()", name)
		w.line("if letters > %d:\n    sys.exit(\"the job has more than %d dead letters\")", w.plan.Graph.DeadLetters, w.plan.Graph.DeadLetters)
	} else {
		w.line("%s = %s.materialize()", name, variable(n.From[0]))
	}
	path := quoted(absolute(n.Path))
	switch n.Format {
	case "ipc":
		w.line("write_ipc(%s, %s)", name, path)
	default:
		w.line("%s.write_%s(fresh(%s))  # a folder of files", name, n.Format, path)
	}
	w.line("rows[%s] = %s.count()", quoted(n.Name), name)
}
