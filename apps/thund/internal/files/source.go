// SPDX-License-Identifier: MIT

package files

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/compute"

	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// batches is one file, or standard input.
type batches interface {
	// next returns a batch that the caller releases; nil at the end.
	next(ctx context.Context) (arrow.RecordBatch, error)
	close() error
}

// Source reads the files of a source, in the order of their names.
type Source struct {
	Schema *arrow.Schema // of the batches that Next returns
	Paths  []string

	// Waits may be set before the source is read.
	Waits Waits
	// Broken counts the producers whose stream broke off.
	Broken atomic.Int64

	drain  atomic.Bool
	socket atomic.Pointer[socket]
	node   *graph.Node
	read   *arrow.Schema // of the files
	keep   []int         // the columns of read that a batch has
	now    batches
	files  int // opened so far
	rows   int64
	row    int64 // in the file of now
}

// OpenSource finds the files and reads their schemas. It reads no row. A source that is not
// read needs no file if it has a schema.
func OpenSource(n *graph.Node, isNotRead bool) (*Source, error) {
	s := &Source{node: n}
	var declared *arrow.Schema
	var err error
	if len(n.Columns) > 0 {
		if declared, err = schemaOf(n.Columns); err != nil {
			return nil, err
		}
	}
	if n.Path == "-" || n.Socket || isNotRead && declared != nil {
		s.Paths, s.read = []string{n.Path}, declared
		if declared == nil {
			return s, nil // its schema comes with the stream
		}
		return s, s.derive()
	}
	if s.Paths, err = match(n.Path); err != nil {
		return nil, err
	}
	for i, path := range s.Paths {
		found, err := s.schemaOf(path, declared)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if declared != nil && !sameColumns(declared, found) {
			return nil, fmt.Errorf("%s has the columns %s, and the schema of the source is %s", path, Describe(found), Describe(declared))
		}
		if i > 0 && !sameColumns(s.read, found) {
			return nil, fmt.Errorf("%s has the columns %s, and %s has %s", path, Describe(found), s.Paths[0], Describe(s.read))
		}
		if i == 0 {
			s.read = found
		}
	}
	return s, s.derive()
}

// match returns the files of a pattern. A plain path is a file, whatever its name has.
func match(pattern string) ([]string, error) {
	if _, err := os.Stat(pattern); err == nil {
		return []string{pattern}, nil
	}
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pattern, err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("there is no file %s", pattern)
	}
	slices.Sort(paths)
	return paths, nil
}

func sameColumns(a, b *arrow.Schema) bool {
	return slices.EqualFunc(a.Fields(), b.Fields(), func(x, y arrow.Field) bool {
		return x.Name == y.Name && arrow.TypeEqual(x.Type, y.Type)
	})
}

func (s *Source) schemaOf(path string, declared *arrow.Schema) (*arrow.Schema, error) {
	switch s.node.Format {
	case "csv":
		return declared, checkHeader(path, s.node.Comma, declared)
	case "parquet":
		return parquetSchema(path)
	}
	opened, err := s.openIPC(path)
	if err != nil {
		return nil, err
	}
	defer opened.close()
	return opened.reader.Schema(), nil
}

// derive applies columns and cast to the schema of the files.
func (s *Source) derive() error {
	names := s.node.Only
	if names == nil {
		for _, field := range s.read.Fields() {
			names = append(names, field.Name)
		}
	}
	var fields []arrow.Field
	for _, name := range names {
		at := s.read.FieldIndices(name)
		if len(at) == 0 {
			return fmt.Errorf("there is no column %q; the files have %s", name, Describe(s.read))
		}
		s.keep = append(s.keep, at[0])
		// Without the metadata of a format, and always nullable: so sources of different formats fit.
		fields = append(fields, arrow.Field{Name: name, Type: s.read.Field(at[0]).Type, Nullable: true})
	}
	for _, cast := range s.node.Casts {
		to, err := TypeOf(cast.Type)
		at := slices.IndexFunc(fields, func(f arrow.Field) bool { return f.Name == cast.Name })
		switch {
		case err != nil:
			return err
		case at < 0:
			return fmt.Errorf("cast names the column %q; the columns are %s", cast.Name, strings.Join(names, ", "))
		case !compute.CanCast(fields[at].Type, to):
			return fmt.Errorf("cast cannot make %s of column %s, which is %s", to, cast.Name, fields[at].Type)
		}
		fields[at].Type = to
	}
	s.Schema = arrow.NewSchema(fields, nil)
	return nil
}

// Next returns the next batch, which the caller releases; nil at the end.
func (s *Source) Next(ctx context.Context) (arrow.RecordBatch, error) {
	for s.node.Limit == 0 || s.rows < s.node.Limit {
		if s.now == nil {
			if s.files == len(s.Paths) {
				return nil, nil
			}
			if err := s.open(ctx, s.Paths[s.files]); err != nil {
				return nil, fmt.Errorf("%s: %w", s.Paths[s.files], err)
			}
			s.files++
		}
		path := s.Paths[s.files-1]
		batch, err := s.now.next(ctx)
		if err == nil && batch != nil {
			first := s.row
			s.row += batch.NumRows()
			if batch, err = s.shaped(ctx, batch); err == nil {
				return batch, nil
			}
			return nil, fmt.Errorf("%s, rows %d to %d: %w", path, first, s.row-1, err)
		}
		if err != nil {
			return nil, fmt.Errorf("%s, after row %d: %w", path, s.row, err)
		}
		if err := s.Close(); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil, s.Close()
}

func (s *Source) open(ctx context.Context, path string) (err error) {
	s.row = 0
	if s.node.Socket {
		s.now = s.newProducers()
		return nil
	}
	switch s.node.Format {
	case "csv":
		s.now, err = openCSV(path, s.node, s.read, s.keep)
	case "parquet":
		s.now, err = openParquet(ctx, path, s.node.BatchRows, s.read, s.keep)
	default:
		var opened *ipcFile
		if opened, err = s.openIPC(path); err != nil {
			return err
		}
		if found := opened.reader.Schema(); !sameColumns(found, s.read) {
			opened.close()
			return fmt.Errorf("it has the columns %s, and the schema of the source is %s", Describe(found), Describe(s.read))
		}
		opened.keep = s.keep
		s.now = opened
	}
	return err
}

// Close closes the file that is open.
func (s *Source) Close() error {
	if s.now == nil {
		return nil
	}
	err := s.now.close()
	s.now = nil
	return err
}
