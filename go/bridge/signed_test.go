// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package bridge_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"debug/elf"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

// signer is a key with a certificate for signing code, made by Go's own libraries.
type signer struct {
	key ed25519.PrivateKey
	der []byte
}

func newSigner(t *testing.T) signer {
	t.Helper()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "Go Signer"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().AddDate(1, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	return signer{key, der}
}

func (s signer) certificate() string { return base64.StdEncoding.EncodeToString(s.der) }

// neededBy is what a library needs; the statement about an archive has nothing to say of it.
func neededBy(t *testing.T, library string) []string {
	t.Helper()
	if filepath.Ext(library) == ".a" {
		return nil
	}
	file, err := elf.Open(library)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	needed, err := file.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(needed)
	return needed
}

// sign copies a library into a folder of the test, and signs the copy.
func (s signer) sign(t *testing.T, library, name, version string) string {
	t.Helper()
	image, err := os.ReadFile(library)
	if err != nil {
		t.Fatal(err)
	}
	needed := neededBy(t, library)
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	lines := []string{
		"alloy-statement-v1", "kind: backend", "name: " + name, "version: " + version,
		"sequence: 1", "abi: 1", "platform: linux-" + machine + "-gnu",
		"not-before: 2020-01-01T00:00:00Z", "not-after: 2999-01-01T00:00:00Z",
		fmt.Sprintf("size: %d", len(image)),
		fmt.Sprintf("sha256: %x  %s", sha256.Sum256(image), filepath.Base(library)),
	}
	for _, soname := range needed {
		lines = append(lines, "needed: "+soname)
	}
	statement := strings.Join(append(lines, "end", ""), "\n")
	block := func(label string, bytes []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: bytes}))
	}
	sidecar := statement + block("ALLOY SIGNATURE", ed25519.Sign(s.key, []byte(statement))) +
		block("CERTIFICATE", s.der)
	path := filepath.Join(t.TempDir(), filepath.Base(library))
	for to, bytes := range map[string][]byte{path: image, path + ".alloysig": []byte(sidecar)} {
		if err := os.WriteFile(to, bytes, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestLoadsALibraryThatTheOwnerOfTheCertificateSigned(t *testing.T) {
	me := newSigner(t)
	path := me.sign(t, library(t, "echo_cpp"), "alloy.echo", "0.1.0")
	goBridge := alloy.GoBridge{Isolated: isolated, Logger: silent} // allows nothing unsigned
	defer goBridge.Close()
	if err := goBridge.SetImplLib(path, me.certificate()); err != nil {
		t.Fatal(err)
	}
	if n, err := goBridge.FromChunks(threeArrays(t, memory.DefaultAllocator)); err != nil || n != 3 {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestRefusesALibraryOfAnotherSignerOrOtherBytes(t *testing.T) {
	me, other := newSigner(t), newSigner(t)
	path := me.sign(t, library(t, "echo_cpp"), "alloy.echo", "0.1.0")
	goBridge := alloy.GoBridge{Isolated: isolated, Logger: silent, AllowUnsigned: true}
	defer goBridge.Close()
	expect := func(certificate, reason string) {
		t.Helper()
		var e *alloy.Error
		err := goBridge.SetImplLib(path, certificate)
		if !errors.As(err, &e) || e.Code != alloy.Refused || e.Reason.String() != reason {
			t.Errorf("want %s, got %v", reason, err)
		}
	}
	expect(other.certificate(), "CERTIFICATE_UNTRUSTED")
	expect("AAAA", "CERTIFICATE_DER")
	expect(me.certificate()[:40]+"\n"+me.certificate()[40:], "CERTIFICATE_BASE64")
	expect(" \n", "CERTIFICATE_BASE64")
	image, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	image[len(image)-1] ^= 1
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(me.certificate(), "DIGEST")
	if err := os.Remove(path + ".alloysig"); err != nil {
		t.Fatal(err)
	}
	expect(me.certificate(), "NO_SIDECAR")
}

func TestACertificateIsReadFromAFile(t *testing.T) {
	s, other := newSigner(t), newSigner(t)
	library := s.sign(t, library(t, "echo_cpp"), "alloy.echo", "0.1.0")
	block := func(der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	text := s.certificate()
	folded := text[:40] + "\r\n" + text[40:] + "\n"
	for name, c := range map[string]struct {
		content []byte
		text    string // of the error
	}{
		"base64":               {[]byte(text), ""},
		"base64, a line feed":  {[]byte(text + "\n"), ""},
		"base64, folded":       {[]byte(folded), ""},
		"PEM":                  {block(s.der), ""},
		"PEM after a comment":  {append([]byte("the signer\n"), block(s.der)...), ""},
		"PEM after a key":      {append(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")}), block(s.der)...), ""},
		"DER":                  {s.der, ""},
		"two certificates":     {append(block(s.der), block(other.der)...), "more than one"},
		"a key only":           {pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")}), "without a certificate"},
		"nothing":              {nil, "neither PEM"},
		"a text":               {[]byte("hello, world!"), "neither PEM"},
		"base64 of no such":    {[]byte("AAAA"), "not an X.509 certificate"},
		"DER with a line feed": {append(slices.Clone(s.der), '\n'), "neither PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "certificate")
			if err := os.WriteFile(path, c.content, 0o600); err != nil {
				t.Fatal(err)
			}
			certificate, err := alloy.ReadCertificate(path)
			if c.text != "" {
				expectError(t, err, alloy.Invalid, "CERTIFICATE_DER")
				if err == nil || !strings.Contains(err.Error(), c.text) || !strings.Contains(err.Error(), path) {
					t.Errorf("got %v, want %q", err, c.text)
				}
				return
			}
			if err != nil || certificate != text {
				t.Fatalf("got %q, %v", certificate, err)
			}
			goBridge := alloy.GoBridge{Isolated: isolated, Logger: silent}
			defer goBridge.Close()
			if err := goBridge.SetImplLib(library, certificate); err != nil {
				t.Error(err)
			}
		})
	}
	_, err := alloy.ReadCertificate("/nowhere.pem")
	expectError(t, err, alloy.Invalid, "CANNOT_OPEN")
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestBlanksAroundACertificateAreIgnored(t *testing.T) {
	s := newSigner(t)
	library := s.sign(t, library(t, "echo_cpp"), "alloy.echo", "0.1.0")
	for _, certificate := range []string{s.certificate() + "\n", "\t " + s.certificate() + "\r\n\n"} {
		goBridge := alloy.GoBridge{Isolated: isolated, Logger: silent}
		if err := goBridge.SetImplLib(library, certificate); err != nil {
			t.Errorf("%q: %v", certificate, err)
		}
		goBridge.Close()
	}
}

func TestAMissingFileIsNotCalledUnsigned(t *testing.T) {
	for _, path := range []string{"/nowhere/libscore.so", t.TempDir()} {
		goBridge := alloy.GoBridge{Isolated: isolated, Logger: silent}
		err := goBridge.SetImplLib(path, "")
		var e *alloy.Error
		if !errors.As(err, &e) || e.Reason.String() != "CANNOT_OPEN" && e.Reason.String() != "NOT_A_FILE" || !strings.Contains(e.Text, path) {
			t.Errorf("%s: got %v", path, err)
		}
		goBridge.Close()
	}
}

func TestTheSettingsOfALibraryAreChecked(t *testing.T) {
	me := newSigner(t)
	path := me.sign(t, library(t, "echo_cpp"), "alloy.echo", "0.1.0")
	elsewhere := filepath.Join(t.TempDir(), "signature")
	if err := os.Rename(path+".alloysig", elsewhere); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		bridge alloy.GoBridge
		reason string // empty: it loads
	}{
		{alloy.GoBridge{Isolated: isolated}, "NO_SIDECAR"},
		{alloy.GoBridge{Isolated: isolated, Sidecar: elsewhere}, ""},
		{alloy.GoBridge{Isolated: isolated, Sidecar: elsewhere, Name: "alloy.echo", MinSequence: 1}, ""},
		{alloy.GoBridge{Isolated: isolated, Sidecar: elsewhere, Name: "acme.other"}, "NAME"},
		{alloy.GoBridge{Isolated: isolated, Sidecar: elsewhere, MinSequence: 2}, "ROLLBACK"},
		{alloy.GoBridge{Isolated: isolated, Sidecar: elsewhere, SHA256: digestOf(t, path)}, ""},
		{alloy.GoBridge{Isolated: isolated, Sidecar: elsewhere, SHA256: strings.Repeat("1", 64)}, "DIGEST"},
	} {
		goBridge := c.bridge
		goBridge.Logger = silent
		err := goBridge.SetImplLib(path, me.certificate())
		if c.reason == "" {
			if err != nil {
				t.Error(err)
			}
		} else {
			expectError(t, err, alloy.Refused, c.reason)
		}
		goBridge.Close()
	}
}
