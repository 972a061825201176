// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// record is a line with its attributes, and what its context has.
type record struct {
	level                             slog.Level
	text, language, backend, function string
	request                           any
}

type requestKey struct{}

// recorder is a handler that keeps lines from a level on. More is for requests that want all.
type recorder struct {
	from    slog.Level
	mutex   sync.Mutex
	records []record
}

func (r *recorder) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= r.from || ctx.Value(requestKey{}) == "verbose"
}
func (r *recorder) WithAttrs([]slog.Attr) slog.Handler { return r }
func (r *recorder) WithGroup(string) slog.Handler      { return r }
func (r *recorder) Handle(ctx context.Context, line slog.Record) error {
	made := record{level: line.Level, text: line.Message, request: ctx.Value(requestKey{})}
	line.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "language":
			made.language = a.Value.String()
		case "backend":
			made.backend = a.Value.String()
		case "function":
			made.function = a.Value.String()
		}
		return true
	})
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.records = append(r.records, made)
	return nil
}

func (r *recorder) take() []record {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	taken := r.records
	r.records = nil
	return taken
}

func logging(t *testing.T, lines *recorder) *alloy.GoBridge {
	t.Helper()
	goBridge := &alloy.GoBridge{Isolated: isolated, AllowUnsigned: true, Logger: slog.New(lines)}
	t.Cleanup(goBridge.Close)
	if err := goBridge.SetImplLib(library(t, "tests/logs"), ""); err != nil {
		t.Fatal(err)
	}
	return goBridge
}

func request(name string) context.Context { return context.WithValue(ctx, requestKey{}, name) }

// TestTheLoggerGetsTheLinesOfABackendThatIsNotAnEcho with their origin and the context of
// their caller, wherever the backend writes them.
func TestTheLoggerGetsTheLinesOfABackendThatIsNotAnEcho(t *testing.T) {
	lines := &recorder{from: slog.LevelInfo}
	goBridge := logging(t, lines)
	line := func(level slog.Level, text, function, request string) record {
		return record{level, text, "C", "test.logs", function, request}
	}
	for i, name := range []string{"first", "second"} {
		out, err := goBridge.Call(request(name), "say", nil, int64BatchOnce)
		if err != nil {
			t.Fatal(err)
		}
		out.Release()
		want := []record{line(slog.LevelInfo, "runs", "say", name), line(slog.LevelWarn, "on a thread", "say", name)}
		if i == 0 {
			want = append([]record{line(slog.LevelInfo, "bound", "say", name)}, want...)
		}
		if got := lines.take(); !slices.Equal(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	stream, err := goBridge.Stream(request("third"), "pass", nil, numbers(memory.DefaultAllocator, 1))
	if err != nil {
		t.Fatal(err)
	}
	stream.Release()
	want := []record{line(slog.LevelInfo, "bound", "pass", "third"), line(slog.LevelError, "opened", "pass", "third")}
	if got := lines.take(); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestLinesThatTheLoggerDoesNotWantAreNotMade, which one request may decide for itself.
func TestLinesThatTheLoggerDoesNotWantAreNotMade(t *testing.T) {
	lines := &recorder{from: slog.LevelWarn}
	goBridge := logging(t, lines)
	texts := func(name string) (texts []string) {
		out, err := goBridge.Call(request(name), "say", nil, int64BatchOnce)
		if err != nil {
			t.Fatal(err)
		}
		out.Release()
		for _, line := range lines.take() {
			if line.request != name {
				t.Errorf("got %+v in the request %s", line, name)
			}
			texts = append(texts, line.level.String()+" "+line.text)
		}
		return texts
	}
	texts("the first one binds")
	quiet := []string{"WARN on a thread"}
	all := []string{
		"DEBUG Exporting ArrowSchema and ArrowArray #1 to C", "DEBUG Calling C through C ffi now with 1 ArrowArrays",
		"DEBUG details", "INFO runs", "WARN on a thread", "DEBUG Hello, again! Successfully sent Arrow data to C.",
	}
	for range 2 {
		if got := texts("quiet"); !slices.Equal(got, quiet) {
			t.Errorf("got %q, want %q", got, quiet)
		}
		if got := texts("verbose"); !slices.Equal(got, all) {
			t.Errorf("got %q, want %q", got, all)
		}
	}
	lines.from = 100
	if got := texts("none"); got != nil {
		t.Errorf("got %q", got)
	}
}

func TestLinesOfManyCallsHaveTheirOwnContexts(t *testing.T) {
	lines := &recorder{from: slog.LevelInfo}
	goBridge := logging(t, lines)
	var wait sync.WaitGroup
	names := []string{"a", "b", "c", "d", "e", "f"}
	const calls = 50
	for _, name := range names {
		wait.Go(func() {
			for range calls {
				out, err := goBridge.Call(request(name), "say", nil, int64BatchOnce)
				if err != nil {
					t.Error(err)
					return
				}
				out.Release()
			}
		})
	}
	wait.Wait()
	count := map[any]int{}
	for _, line := range lines.take() {
		if line.text == "runs" {
			count[line.request]++
		}
	}
	for _, name := range names {
		if count[name] != calls {
			t.Errorf("%s: %d lines, want %d", name, count[name], calls)
		}
	}
}

func hexDigest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func digestOf(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return hexDigest(content)
}

func TestABackendIsDescribedWithTheFileItComesFrom(t *testing.T) {
	s := newSigner(t)
	path := s.sign(t, library(t, "echo_cpp"), "alloy.echo", "0.1.0")
	goBridge := alloy.GoBridge{Isolated: isolated, AllowUnsigned: true, Logger: silent}
	defer goBridge.Close()
	for _, certificate := range []string{"", s.certificate(), ""} {
		if err := goBridge.SetImplLib(path, certificate); err != nil {
			t.Fatal(err)
		}
		got, err := goBridge.Backend()
		if err != nil {
			t.Fatal(err)
		}
		want := alloy.Backend{
			Name: "alloy.echo", Version: "0.1.0", Language: "C++", Library: path,
			SHA256: digestOf(t, path),
		}
		if certificate != "" {
			want.Signer, want.SignerSHA256, want.Sequence = got.Signer, hexDigest(s.der), got.Sequence
			if got.Signer == "" || got.Sequence == 0 {
				t.Errorf("got %+v", got)
			}
		}
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	goBridge.Close()
	_, err := goBridge.Backend()
	expectError(t, err, alloy.Closed, "NONE")
}
