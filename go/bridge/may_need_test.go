// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
	"github.com/ignalina/alloy/api"
)

// compile makes a library in a folder of the test with the compiler that cgo needs.
func compile(t *testing.T, name string, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	args = append([]string{"-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,now", "-Wl,--no-as-needed",
		"-I" + filepath.Join(root(), "include"), "-o", path}, args...)
	if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		t.Fatalf("cc %v: %v\n%s", args, err, out)
	}
	return path
}

func source(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "source.c")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var echoInC = filepath.Join(root(), "backends", "echo_c", "echo.c")

// needing is the echo in C, and calls a function of a library of its own.
func needing(t *testing.T, soname string) (backend, needed string) {
	t.Helper()
	needed = compile(t, soname, "-Wl,-soname,"+soname,
		source(t, `__attribute__((visibility("default"))) int alloy_test_needed(void) { return 1; }`))
	return compile(t, "backend.so", echoInC, needed,
		source(t, "int alloy_test_needed(void);\nint alloy_test_needs(void) { return alloy_test_needed(); }")), needed
}

func refusedAs(err error, reason, text string) bool {
	var e *alloy.Error
	return errors.As(err, &e) && e.Code == alloy.Refused && e.Reason.String() == reason && strings.Contains(e.Text, text)
}

func expectTheEcho(t *testing.T, goBridge *api.GoBridge) {
	t.Helper()
	if n, err := goBridge.FromChunks(threeArrays(t, memory.DefaultAllocator)); err != nil || n != 3 {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestALibraryThatNeedsAnotherLoadsWhereTheProgramAllowsIt(t *testing.T) {
	backend, needed := needing(t, "liballoy_go_needed.so.1")

	plain := alloy.GoBridge{Isolated: isolated, AllowUnsigned: true, Logger: silent}
	defer plain.Close()
	if err := plain.SetImplLib(backend, ""); !refusedAs(err, "NEEDED", "liballoy_go_needed.so.1") {
		t.Errorf("not allowed: got %v", err)
	}

	other := alloy.GoBridge{Isolated: isolated, AllowUnsigned: true, Logger: silent, MayNeed: []string{echoInC + ".so", "libother.so.1"}}
	defer other.Close()
	if err := other.SetImplLib(backend, ""); !refusedAs(err, "NEEDED", echoInC+".so") {
		t.Errorf("a file that is not there: got %v", err)
	}

	allowing := api.GoBridge{Isolated: isolated, AllowUnsigned: true, Logger: silent, MayNeed: []string{needed}}
	defer allowing.Close()
	if err := allowing.SetImplLib(backend, ""); err != nil {
		t.Fatalf("allowed: %v", err)
	}
	expectTheEcho(t, &allowing)
}

func TestALibraryMayNeedASonameThatTheLoaderFinds(t *testing.T) {
	backend := compile(t, "backend.so", echoInC, "-lresolv")
	goBridge := api.GoBridge{Isolated: isolated, AllowUnsigned: true, Logger: silent, MayNeed: []string{"libother.so.1", "libresolv.so.2"}}
	defer goBridge.Close()
	if err := goBridge.SetImplLib(backend, ""); err != nil {
		t.Fatal(err)
	}
	expectTheEcho(t, &goBridge)
}

func TestWhatLibrariesMayNeedIsReadAtTheFirstLoad(t *testing.T) {
	backend := compile(t, "backend.so", echoInC, "-lresolv")
	late := alloy.GoBridge{Isolated: isolated, AllowUnsigned: true, Logger: silent}
	defer late.Close()
	if err := late.SetImplLib(library(t, "echo_c"), ""); err != nil {
		t.Fatal(err)
	}
	late.MayNeed = []string{"libresolv.so.2"}
	if err := late.SetImplLib(backend, ""); !refusedAs(err, "NEEDED", "libresolv.so.2") {
		t.Errorf("allowed after the first load: got %v", err)
	}

	early := alloy.GoBridge{Isolated: isolated, AllowUnsigned: true, Logger: silent}
	defer early.Close()
	if _, err := early.Functions(); err != nil {
		t.Fatal(err)
	}
	early.MayNeed = []string{"libresolv.so.2"}
	if err := early.SetImplLib(library(t, "echo_c"), ""); err != nil {
		t.Fatal(err)
	}
	early.MayNeed[0] = "libother.so.1"
	if err := early.SetImplLib(backend, ""); err != nil {
		t.Errorf("allowed before the first load: got %v", err)
	}
}

func TestAnEntryOfMayNeedThatIsNoneIsAnErrorUntilItIsMended(t *testing.T) {
	goBridge := alloy.GoBridge{Isolated: isolated, AllowUnsigned: true, Logger: silent}
	defer goBridge.Close()
	for entry, text := range map[string]string{
		"":                 "neither a SONAME nor an absolute path",
		"lib/libother.so":  "lib/libother.so",
		"libother.so\x00x": "NUL",
	} {
		goBridge.MayNeed = []string{"libresolv.so.2", entry}
		var e *alloy.Error
		if err := goBridge.SetImplLib(library(t, "echo_c"), ""); !errors.As(err, &e) || e.Code != alloy.Invalid || !strings.Contains(e.Text, text) {
			t.Errorf("%q: got %v", entry, err)
		}
		if _, err := goBridge.Functions(); !errors.As(err, &e) || e.Code != alloy.Invalid {
			t.Errorf("%q: does not stick: %v", entry, err)
		}
	}
	goBridge.MayNeed = nil
	if err := goBridge.SetImplLib(library(t, "echo_c"), ""); err != nil {
		t.Error(err)
	}
}
