// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

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

// TestTheModuleCompilesForEveryTarget checks every package, with its tests and the examples,
// for targets without the engine.
func TestTheModuleCompilesForEveryTarget(t *testing.T) {
	for _, target := range []string{"linux/" + runtime.GOARCH, "darwin/arm64", "windows/amd64"} {
		goos, goarch, _ := strings.Cut(target, "/")
		env := []string{"CGO_ENABLED=0", "GOOS=" + goos, "GOARCH=" + goarch}
		for _, step := range []string{"vet", "build"} {
			if out, err := command(root(), env, "go", step, "./..."); err != nil {
				t.Errorf("%s without cgo: go %s: %v\n%s"+
					"a file that needs the engine begins with //go:build linux && cgo && (amd64 || arm64), "+
					"and what it exports is in go/engine/unsupported.go as well", target, step, err, out)
			}
		}
	}
}

// TestWithoutCgoEveryUseIsUnsupported runs the tests of the stub.
func TestWithoutCgoEveryUseIsUnsupported(t *testing.T) {
	out, err := command(root(), []string{"CGO_ENABLED=0"}, "go", "test", "-count=1", "-v", ".", "./go/engine")
	if err != nil || !strings.Contains(out, "PASS: TestEveryUseIsUnsupported") || !strings.Contains(out, "PASS: TestTheAdviceFitsTheTarget") {
		t.Errorf("got %v:\n%s", err, out)
	}
}

// TestAStaticProgramIsRefused links the second program of the original statically. It prints
// the error of its load.
func TestAStaticProgramIsRefused(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	static := "-linkmode external -extldflags -static"
	if out, err := command(root(), nil, "go", "build", "-ldflags", static, "-o", program, "./examples/go/program2"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := command(root(), nil, program)
	if err != nil || !strings.Contains(out, "UNSUPPORTED") || !strings.Contains(out, "linked statically") {
		t.Errorf("got %v:\n%s", err, out)
	}
}

// TestAnotherCompilerIsNoticed compiles the engine's header as for another GOARCH.
func TestAnotherCompilerIsNoticed(t *testing.T) {
	other := map[string]string{"amd64": "ARM64", "arm64": "AMD64"}[runtime.GOARCH]
	out, err := command(filepath.Join(root(), "go", "engine"), nil, "g++", "-fsyntax-only", "-std=c++20", "-DALLOY_GOARCH_"+other, "alloy_engine.h")
	if err == nil || !strings.Contains(out, "CC=aarch64-linux-gnu-gcc and CXX=aarch64-linux-gnu-g++") {
		t.Errorf("got %v:\n%s", err, out)
	}
}

// writeConsumer writes a module that uses this checkout. It has the same requirements, so
// that nothing is looked up.
func writeConsumer(t *testing.T, folder string, program []byte) {
	t.Helper()
	ours, err := os.ReadFile(filepath.Join(root(), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root(), "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	module := strings.Replace(string(ours), "module github.com/ignalina/alloy", "module consumer", 1) +
		"\nrequire github.com/ignalina/alloy v0.0.0\nreplace github.com/ignalina/alloy => " + root() + "\n"
	for name, content := range map[string][]byte{
		"main.go": program, "go.mod": []byte(module), "go.sum": sums,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// isolatedProgram runs the library that is its last argument in a worker process.
const isolatedProgram = `package main

import (
	"fmt"
	"log"
	"log/slog"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

func main() {
	bridge := alloy.GoBridge{AllowUnsigned: true, Isolated: true, Logger: slog.New(slog.DiscardHandler)}
	defer bridge.Close()
	if err := bridge.SetImplLib(os.Args[len(os.Args)-1], ""); err != nil {
		log.Fatal(err)
	}
	builder := array.NewInt64Builder(memory.DefaultAllocator)
	builder.AppendValues([]int64{1, 2}, nil)
	chunk := builder.NewArray()
	count, err := bridge.FromChunks([]arrow.Array{chunk, chunk, chunk})
	if err != nil {
		log.Fatal(err)
	}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		log.Fatal(err)
	}
	workers := ""
	for _, task := range tasks {
		text, _ := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		workers += string(text)
	}
	fmt.Println("counted", count, "isolated", workers != "")
}
`

// TestAProgramOfAnEmptyModuleCacheIsItsOwnWorker: it is built with an empty module cache,
// copied to another folder, and runs a backend in isolation with nothing else installed.
func TestAProgramOfAnEmptyModuleCacheIsItsOwnWorker(t *testing.T) {
	library := filepath.Join(root(), "build", "backends", "echo_c.so")
	if _, err := os.Stat(library); err != nil {
		t.Fatalf("%v; make build-all builds it", err)
	}
	said, err := command(root(), nil, "go", "env", "GOMODCACHE")
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	// What this machine has downloaded, as a proxy, so that nothing is looked up.
	proxy := "GOPROXY=file://" + filepath.Join(strings.TrimSpace(said), "cache", "download")
	folder := t.TempDir()
	writeConsumer(t, folder, []byte(isolatedProgram))
	env := []string{"GOMODCACHE=" + filepath.Join(folder, "cache"), proxy, "GOSUMDB=off", "GOFLAGS=-buildvcs=false -modcacherw"}
	for _, step := range [][]string{{"go", "mod", "tidy"}, {"go", "build", "-o", "program", "."}} {
		if out, err := command(folder, env, step[0], step[1:]...); err != nil {
			t.Fatalf("%v: %v\n%s", step, err, out)
		}
	}
	elsewhere := t.TempDir()
	program := filepath.Join(elsewhere, "renamed")
	image, err := os.ReadFile(filepath.Join(folder, "program"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(program, image, 0o700), os.RemoveAll(folder)); err != nil {
		t.Fatal(err)
	}
	const want = "counted 3 isolated true\n"
	// A user may type the argument of a worker: it is an argument as any other.
	for _, args := range [][]string{{library}, {"--alloy-worker", library}} {
		c := exec.Command(program, args...)
		c.Dir, c.Env = elsewhere, []string{}
		if out, err := c.CombinedOutput(); err != nil || string(out) != want {
			t.Errorf("%v: %v, got:\n%s", args, err, out)
		}
	}
	c := exec.Command(program, "--alloy-worker") // alone, as for a worker: it is no library
	c.Dir, c.Env = elsewhere, []string{}
	if out, err := c.CombinedOutput(); err == nil || !strings.Contains(string(out), "CANNOT_OPEN") {
		t.Errorf("got %v:\n%s", err, out)
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
	writeConsumer(t, folder, program)
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
