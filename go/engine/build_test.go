// SPDX-License-Identifier: MIT

package engine_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// command runs a program as a user does, whatever the mode of these tests.
func command(folder string, env []string, name string, args ...string) (string, error) {
	c := exec.Command(name, args...)
	c.Dir = folder
	c.Env = append(os.Environ(), "GOEXPERIMENT=", "GOGC=100", "GOFLAGS=-buildvcs=false", "GOWORK=off")
	c.Env = append(c.Env, env...)
	out, err := c.CombinedOutput()
	return string(out), err
}

func TestWithoutCgoTheBuildSaysWhatToDo(t *testing.T) {
	out, err := command(root(), []string{"CGO_ENABLED=0"}, "go", "build", "./api")
	if err == nil || !strings.Contains(out, "install_gcc_and_gxx_12_or_later__then_build_with_CGO_ENABLED_1") {
		t.Errorf("got %v:\n%s", err, out)
	}
	if lines := strings.Count(strings.TrimSpace(out), "\n"); lines > 1 {
		t.Errorf("the advice is lost among other lines:\n%s", out)
	}
}

// TestAVendoredCopyBuilds makes a module that vendors Alloy. It builds the first program of
// the original, checks it with go vet, and runs it.
func TestAVendoredCopyBuilds(t *testing.T) {
	// Always the same folder, so that the build cache has what was compiled there before.
	folder := filepath.Join(root(), "build", "vendored")
	if err := errors.Join(os.RemoveAll(folder), os.MkdirAll(folder, 0o755)); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	program, err := os.ReadFile(filepath.Join(root(), "examples", "go", "program1", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	ours, err := os.ReadFile(filepath.Join(root(), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root(), "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	// The same requirements as ours, so that nothing is looked up.
	module := strings.Replace(string(ours), "module github.com/ignalina/alloy", "module consumer", 1) +
		"\nrequire github.com/ignalina/alloy v0.0.0\nreplace github.com/ignalina/alloy => " + root() + "\n"
	for name, content := range map[string][]byte{
		"main.go": program, "go.mod": []byte(module), "go.sum": sums,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range [][]string{
		{"go", "mod", "tidy"},
		{"go", "mod", "vendor"},
		{"go", "build", "-mod=vendor", "-trimpath", "-o", "program", "."},
		// With the flags of the build, so that the engine is not compiled again.
		{"go", "vet", "-mod=vendor", "-trimpath", "."},
	} {
		if out, err := command(folder, nil, step[0], step[1:]...); err != nil {
			t.Fatalf("%v: %v\n%s", step, err, out)
		}
	}
	out, err := command(folder, nil, filepath.Join(folder, "program"))
	if err != nil || !strings.HasSuffix(out, "[Go]\tRust counted 3 arrays sent through ffi\n") {
		t.Errorf("got %v:\n%s", err, out)
	}
}

// TestAnInstalledLibraryIsLinkedByTag links the library of the build instead of compiling the
// engine.
func TestAnInstalledLibraryIsLinkedByTag(t *testing.T) {
	library := filepath.Join(root(), "build", "lib")
	if _, err := os.Stat(filepath.Join(library, "liballoy.so")); err != nil {
		t.Skipf("%v; make build-all builds it", err)
	}
	program := filepath.Join(t.TempDir(), "program")
	env := []string{
		"CGO_CFLAGS=-O2 -I" + filepath.Join(root(), "include"),
		"CGO_LDFLAGS=-L" + library + " -Wl,-rpath," + library,
	}
	if out, err := command(root(), env, "go", "build", "-tags", "alloy_system", "-o", program, "./examples/go/program1"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	needed, err := command(root(), nil, "readelf", "-d", program)
	if err != nil || !strings.Contains(needed, "liballoy.so.") {
		t.Errorf("the program does not need liballoy: %v\n%s", err, needed)
	}
	out, err := command(root(), nil, program)
	if err != nil || strings.Count(out, "\n") != 10 {
		t.Errorf("got %v:\n%s", err, out)
	}
}
