// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

func TestAFailedLoadSticksUntilOneSucceeds(t *testing.T) {
	goBridge := open(t, nil, "")
	arrays := threeArrays(t, memory.DefaultAllocator)
	first := goBridge.SetImplLib("/nowhere/MyCoolRustLib.so", "")
	var e *alloy.Error
	if !errors.As(first, &e) || e.Code != alloy.Refused || e.Reason.String() != "CANNOT_OPEN" {
		t.Fatalf("got %v", first)
	}
	for range 2 {
		_, err := goBridge.From_chunks(arrays)
		if err == nil || err.Error() != first.Error() {
			t.Errorf("FromChunks: got %v, want %v", err, first)
		}
	}
	if _, err := goBridge.Call(ctx, "echo", nil, int64BatchOnce); err == nil || err.Error() != first.Error() {
		t.Errorf("Call: got %v, want %v", err, first)
	}
	if _, err := goBridge.Functions(); err == nil || err.Error() != first.Error() {
		t.Errorf("Functions: got %v, want %v", err, first)
	}
	if err := goBridge.SetImplLib(library(t, "echo_cpp"), ""); err != nil {
		t.Fatal(err)
	}
	if n, err := goBridge.FromChunks(arrays); err != nil || n != 3 {
		t.Errorf("after a load that succeeded: got %d, %v", n, err)
	}
}

// TestALoadThatNeverReachedTheEngineSticksAsWell, whatever served before.
func TestALoadThatNeverReachedTheEngineSticksAsWell(t *testing.T) {
	arrays := threeArrays(t, memory.DefaultAllocator)
	for _, before := range []string{"", "echo_cpp"} {
		for _, c := range []struct{ path, certificate string }{{"lib\x00.so", ""}, {"lib.so", "AA\x00"}} {
			goBridge := open(t, nil, before)
			first := goBridge.SetImplLib(c.path, c.certificate)
			var e *alloy.Error
			if !errors.As(first, &e) || e.Code != alloy.Invalid {
				t.Fatalf("got %v", first)
			}
			if n, err := goBridge.FromChunks(arrays); err != first {
				t.Errorf("FromChunks: got %d, %v", n, err)
			}
			if _, err := goBridge.Call(ctx, "echo", nil, int64BatchOnce); err != first {
				t.Errorf("Call: got %v", err)
			}
			if _, err := goBridge.Functions(); err != first {
				t.Errorf("Functions: got %v", err)
			}
			if err := goBridge.SetImplLib(library(t, "echo_c"), ""); err != nil {
				t.Fatal(err)
			}
			if n, err := goBridge.FromChunks(arrays); err != nil || n != 3 {
				t.Errorf("after a load that succeeded: got %d, %v", n, err)
			}
		}
	}
}

func TestAClosedBridgeStaysClosed(t *testing.T) {
	closed := func(err error) bool {
		var e *alloy.Error
		return errors.As(err, &e) && e.Code == alloy.Closed
	}
	for name, prepare := range map[string]func(*alloy.GoBridge){
		"unused":        func(*alloy.GoBridge) {},
		"used":          func(b *alloy.GoBridge) { _, _ = b.Functions() },
		"failed":        func(b *alloy.GoBridge) { _ = b.SetImplLib("/nowhere.so", "") },
		"closed before": func(b *alloy.GoBridge) { b.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			goBridge := open(t, nil, "")
			prepare(goBridge)
			goBridge.Close()
			if err := goBridge.SetImplLib(library(t, "echo_cpp"), ""); !closed(err) {
				t.Errorf("SetImplLib: got %v", err)
			}
			if _, err := goBridge.Functions(); !closed(err) {
				t.Errorf("Functions: got %v", err)
			}
		})
	}
}

func TestUnsignedIsRefusedUnlessAllowedAtTheFirstLoad(t *testing.T) {
	goBridge := alloy.GoBridge{Isolated: isolated, Logger: silent}
	defer goBridge.Close()
	var e *alloy.Error
	err := goBridge.SetImplLib(library(t, "echo_cpp"), "")
	if !errors.As(err, &e) || e.Code != alloy.Refused || e.Reason.String() != "UNSIGNED" {
		t.Fatalf("got %v", err)
	}
	goBridge.AllowUnsigned = true
	if err := goBridge.SetImplLib(library(t, "echo_cpp"), ""); !errors.As(err, &e) || e.Reason.String() != "UNSIGNED" {
		t.Errorf("allowed after the first load: got %v", err)
	}

	other := alloy.GoBridge{Isolated: isolated, Logger: silent}
	defer other.Close()
	if _, err := other.Functions(); err != nil {
		t.Fatal(err)
	}
	other.AllowUnsigned = true
	if err := other.SetImplLib(library(t, "echo_cpp"), ""); err != nil {
		t.Errorf("allowed after a use and before the first load: got %v", err)
	}
	other.AllowUnsigned = false
	if err := other.SetImplLib(library(t, "echo_c"), ""); err != nil {
		t.Errorf("disallowed after the first load: got %v", err)
	}
}

func TestACertificateIsNeverIgnored(t *testing.T) {
	goBridge := alloy.GoBridge{Isolated: isolated, AllowUnsigned: true, Logger: silent}
	defer goBridge.Close()
	var e *alloy.Error
	if err := goBridge.SetImplLib(library(t, "echo_cpp"), "AAAA"); !errors.As(err, &e) || e.Reason.String() != "CERTIFICATE_DER" {
		t.Errorf("got %v", err)
	}
}

// TestCallsWhileLibrariesAlternate has two backends whose function of one name gives
// other columns: whatever a call meets, its result is that of one of them, whole.
func TestCallsWhileLibrariesAlternate(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	names := []string{"tests/unruly", "faults_rust"}
	var want []*arrow.Schema
	for _, name := range names {
		out, err := open(t, mem, name).Call(ctx, "empty", nil, int64BatchOnce)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, out.Schema())
		out.Release()
	}
	if want[0].Equal(want[1]) {
		t.Fatal("both give the same columns, and tell nothing")
	}
	goBridge := open(t, mem, names[0])
	batches := []arrow.RecordBatch{int64Batch(mem, 1, 3), int64Batch(mem, 1, 3)}
	var wait sync.WaitGroup
	var seen [2]atomic.Int64
	stop := make(chan struct{})
	for i := range 8 {
		wait.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				out, err := goBridge.Call(ctx, "empty", nil, batches[i%2])
				if err != nil {
					t.Error(err)
					return
				}
				for k, schema := range want {
					if out.Schema().Equal(schema) {
						seen[k].Add(1)
						break
					} else if k > 0 {
						t.Errorf("columns of neither: %v", out.Schema())
					}
				}
				for c, column := range out.Columns() {
					if !arrow.TypeEqual(column.DataType(), out.Schema().Field(c).Type) || column.Len() != 0 {
						t.Errorf("column %d is %v", c, column)
					}
				}
				out.Release()
			}
		})
	}
	for i := range 300 {
		if err := goBridge.SetImplLib(library(t, names[i%2]), ""); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wait.Wait()
	for _, batch := range batches {
		batch.Release()
	}
	if seen[0].Load() == 0 || seen[1].Load() == 0 {
		t.Errorf("%d of one, %d of the other", seen[0].Load(), seen[1].Load())
	}
}

// TestALibraryThatIsReplacedOnDiskGoesOnAsItWas: overwritten in place, cut, and gone.
func TestALibraryThatIsReplacedOnDiskGoesOnAsItWas(t *testing.T) {
	content, err := os.ReadFile(library(t, "echo_cpp"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "backend.so")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	goBridge := open(t, nil, "")
	if err := goBridge.SetImplLib(path, ""); err != nil {
		t.Fatal(err)
	}
	arrays := threeArrays(t, memory.DefaultAllocator)
	for _, change := range []func() error{
		func() error { return nil },
		func() error { return os.WriteFile(path, bytes.Repeat([]byte("x"), len(content)), 0o600) },
		func() error { return os.Truncate(path, 0) },
		func() error { return os.Remove(path) },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if n, err := goBridge.FromChunks(arrays); err != nil || n != 3 {
			t.Errorf("got %d, %v", n, err)
		}
		out, err := goBridge.Call(ctx, "echo", nil, int64BatchOnce)
		if err != nil {
			t.Fatal(err)
		}
		out.Release()
	}
}

func TestALibraryIsLoadedByItsPathForDebuggers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "echo.so") // of its own: nothing else has loaded it
	image, err := os.ReadFile(library(t, "echo_cpp"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	isMapped := func() bool {
		maps, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(maps), path)
	}
	for _, plainly := range []bool{false, true} {
		goBridge := alloy.GoBridge{Isolated: isolated, Logger: silent, AllowUnsigned: !plainly, LoadPlainly: plainly}
		if err := goBridge.SetImplLib(path, ""); err != nil {
			t.Fatal(err)
		}
		// A worker maps it in its own process.
		if isMapped() != (plainly && !isolated) {
			t.Errorf("plainly %v: mapped by its path is %v", plainly, !plainly)
		}
		goBridge.Close()
	}
}
