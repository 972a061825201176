// SPDX-License-Identifier: MIT

package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ignalina/alloy/apps/thund/api"

	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// The endings of the markers of a file.
const (
	Done    = ".done"
	Ignored = ".ignore"
)

// Folder finds the files of a source with each that have no marker yet.
type Folder struct {
	pattern, done string
	grace         time.Duration
	seen          map[string]sighting
	lock          *os.File
	now           func() time.Time
}

// sighting is the size of a file, since when it has it.
type sighting struct {
	size  int64
	since time.Time
}

// OpenFolder makes the folder of the markers, and keeps other runs away from it.
func OpenFolder(n *graph.Node) (*Folder, error) {
	if err := os.MkdirAll(n.Done, 0o777); err != nil {
		return nil, err
	}
	lock, err := os.Open(n.Done)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("another run writes markers into %s", n.Done)
	}
	return &Folder{pattern: n.Path, done: n.Done, grace: n.Grace, seen: map[string]sighting{}, lock: lock, now: time.Now}, nil
}

// Close lets another run use the folder.
func (f *Folder) Close() { f.lock.Close() }

// Look lists the files without a marker: those that are ready, the oldest first, and all. A
// file is ready when its size has not changed for the time grace.
func (f *Folder) Look() (ready, all []string, err error) {
	paths, err := filepath.Glob(f.pattern)
	if err != nil {
		return nil, nil, err
	}
	if _, err := os.Stat(f.pattern); err == nil { // a name with a bracket, for example
		paths = []string{f.pattern}
	}
	entries, err := os.ReadDir(f.done)
	if err != nil {
		return nil, nil, err
	}
	markers := map[string]bool{}
	for _, entry := range entries {
		markers[entry.Name()] = true
	}
	seen, found := map[string]sighting{}, map[string]api.FileEntity{}
	for _, path := range paths {
		name := filepath.Base(path)
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() || markers[name+Done] || markers[name+Ignored] || isMarker(name) {
			continue
		}
		now := sighting{info.Size(), f.now()}
		if before, known := f.seen[path]; known && before.size == now.size {
			now.since = before.since
		}
		seen[path], found[path] = now, api.FileEntity{Name: path, UnixMilli: info.ModTime().UnixMilli()}
	}
	f.seen = seen
	for _, path := range api.SortOnAge(found) {
		all = append(all, path)
		if f.now().Sub(seen[path].since) >= f.grace {
			ready = append(ready, path)
		}
	}
	return ready, all, nil
}

func isMarker(name string) bool {
	return strings.HasSuffix(name, Done) || strings.HasSuffix(name, Ignored) || strings.HasSuffix(name, ".part")
}

// Mark writes the marker of a file, complete or not at all.
func (f *Folder) Mark(path, ending, text string) error {
	marker := filepath.Join(f.done, filepath.Base(path)+ending)
	part, err := os.Create(marker + ".part")
	if err != nil {
		return err
	}
	_, err = part.WriteString(text + "\n")
	if err = errors.Join(err, part.Sync(), part.Close()); err == nil {
		err = os.Rename(part.Name(), marker)
	}
	if err != nil {
		os.Remove(part.Name())
		return err
	}
	return f.lock.Sync()
}

// Twin returns another file of the folder whose outputs would have the same names; empty: none.
func (f *Folder) Twin(path string) string {
	stem := StemOf(path)
	paths, _ := filepath.Glob(f.pattern)
	for _, other := range paths {
		if other != path && StemOf(other) == stem && !isMarker(filepath.Base(other)) {
			if _, err := os.Stat(filepath.Join(f.done, filepath.Base(other)+Done)); err == nil {
				return other
			}
		}
	}
	return ""
}

// StemOf returns the name of a file without its extension.
func StemOf(path string) string {
	name := filepath.Base(path)
	return strings.TrimSuffix(name, filepath.Ext(name))
}

// IsGone reports whether a file was removed.
func IsGone(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}
