// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// signByCommand copies a file into a folder of the test, and signs the copy with the
// command line and the build's development key. It returns the copy and the certificate.
func signByCommand(t *testing.T, file, name, version string) (path, certificate string) {
	t.Helper()
	bytes, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), filepath.Base(file))
	if err := os.WriteFile(path, bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	build := filepath.Join(root(), "build")
	arrowalloy := func(args ...string) string {
		out, err := exec.Command(filepath.Join(build, "bin", "arrowalloy"), args...).CombinedOutput()
		if err != nil {
			t.Fatalf("arrowalloy %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	arrowalloy("sign", path, "--key", filepath.Join(build, "dev.key"), "--cert", filepath.Join(build, "dev.crt"),
		"--name", name, "--version", version, "--quiet")
	return path, arrowalloy("cert-base64", filepath.Join(build, "dev.crt"))
}

// TestProgram2CallsARustArchiveThatItsOwnerSigned is the original's second program with an
// archive that is there: a Rust staticlib, linked where it is loaded.
func TestProgram2CallsARustArchiveThatItsOwnerSigned(t *testing.T) {
	archive := built(t, "echo_rust.a")
	for signer, sign := range map[string]func(*testing.T) (path, certificate string){
		"by the command line": func(t *testing.T) (string, string) {
			return signByCommand(t, archive, "alloy.echo", "0.1.0")
		},
		"by Go": func(t *testing.T) (string, string) {
			me := newSigner(t)
			return me.sign(t, archive, "alloy.echo", "0.1.0"), me.certificate()
		},
	} {
		t.Run(signer, func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			defer mem.AssertSize(t, 0)
			path, certificate := sign(t)
			arr1, arr2 := int64Column(mem, 1, 2, 3), int64Column(mem, 4)
			defer arr1.Release()
			defer arr2.Release()
			lines := &handler{}

			goBridge := alloy.GoBridge{Isolated: isolated, GoAllocator: mem, Logger: slog.New(lines)} // allows nothing unsigned
			defer goBridge.Close()
			if err := goBridge.SetImplLib(path, certificate); err != nil {
				t.Fatal(err)
			}
			if i, err := goBridge.From_chunks([]arrow.Array{arr1, arr2}); err != nil || i != 2 {
				t.Errorf("got %d, %v", i, err)
			}
			for _, want := range []string{"[Go]\tINFO\tCalling Rust", "[Rust]\tINFO\t"} {
				if !strings.Contains(lines.text(), want) {
					t.Errorf("%q is missing in:\n%s", want, lines.text())
				}
			}

			batch := int64Batch(mem, 2, 100)
			defer batch.Release()
			back, err := goBridge.Call(ctx, "echo", nil, batch)
			if err != nil {
				t.Fatal(err)
			}
			defer back.Release()
			if !array.RecordEqual(back, batch) {
				t.Errorf("got %v", back)
			}
		})
	}
}

func TestAnArchiveOfAnotherSignerOrOtherBytesIsNotLinked(t *testing.T) {
	me, other := newSigner(t), newSigner(t)
	path := me.sign(t, built(t, "echo_rust.a"), "alloy.echo", "0.1.0")
	goBridge := alloy.GoBridge{Isolated: isolated, Logger: silent}
	defer goBridge.Close()
	if err := goBridge.SetImplLib(path, ""); !refusedAs(err, "UNSIGNED", "") {
		t.Errorf("without a certificate: got %v", err)
	}
	if err := goBridge.SetImplLib(path, other.certificate()); !refusedAs(err, "CERTIFICATE_UNTRUSTED", "") {
		t.Errorf("of another signer: got %v", err)
	}
	image, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	image[len(image)/2] ^= 1
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := goBridge.SetImplLib(path, me.certificate()); !refusedAs(err, "DIGEST", "") {
		t.Errorf("of other bytes: got %v", err)
	}
	if _, err := goBridge.FromChunks(nil); !refusedAs(err, "DIGEST", "") {
		t.Errorf("the echo serves, or another: got %v", err)
	}
}

func int64Column(mem memory.Allocator, values ...int64) arrow.Array {
	builder := array.NewInt64Builder(mem)
	defer builder.Release()
	builder.AppendValues(values, nil)
	return builder.NewArray()
}
