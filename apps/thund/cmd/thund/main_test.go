// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// libraries is what the loader finds for a file: names and paths.
func libraries(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := exec.Command("ldd", file).CombinedOutput()
	if err != nil {
		t.Fatalf("ldd %s: %v\n%s", file, err, text)
	}
	found := map[string]string{}
	for _, line := range regexp.MustCompile(`(\S+) \(0x`).FindAllStringSubmatch(string(text), -1) {
		if strings.HasPrefix(line[1], "/") {
			found[filepath.Base(line[1])] = line[1]
		}
	}
	return found
}

func keep(t *testing.T, root, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(filepath.Join(root, to)), 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(root, to), data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// One file to ship: the program is also its worker, and needs no other file of Alloy.
func TestAcceptance19TheProgramRunsInAnEmptyFolder(t *testing.T) {
	root := t.TempDir()
	program := filepath.Join(root, "thund")
	if text, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	needed := libraries(t, program)
	for name := range needed {
		if !regexp.MustCompile(`^(libc|libm|ld-linux-.*)\.so\.\d$`).MatchString(name) {
			t.Errorf("the program needs %s", name)
		}
	}
	for _, path := range needed {
		keep(t, root, path, path)
	}
	folder := filepath.Dir(needed["libc.so.6"])
	crypto := filepath.Join(folder, "libcrypto.so.3")
	keep(t, root, crypto, crypto)
	for name, path := range libraries(t, crypto) {
		if _, is := needed[name]; !is {
			keep(t, root, path, path)
		}
	}
	for _, name := range []string{"backends/echo_c.so", "backends/echo_c.so.alloysig", "dev.crt"} {
		keep(t, root, filepath.Join("../../../../build", name), filepath.Base(name))
	}
	for _, folder := range []string{"proc", "tmp"} {
		if err := os.Mkdir(filepath.Join(root, folder), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"ids.csv": "id\n1\n2\n3\n",
		"graph.toml": `[graph]
format = 1
certificate = "dev.crt"
[backend]
echo = { library = "echo_c.so" }
[source]
ids = { csv = "ids.csv", schema = { id = "int64" } }
[step]
same = { call = "echo.echo", from = ["ids"] }
[sink]
out = { from = "same", csv = "out.csv" }
`} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, mode := range [][]string{nil, {"--isolated"}} {
		// Own mounts, which end with the command. Without root, it is root of its own namespace.
		args := []string{"--mount", "--fork"}
		if os.Getuid() != 0 {
			args = append(args, "--user", "--map-root-user")
		}
		args = append(args, "sh", "-c", `mount --rbind /proc "$0/proc" && exec chroot "$0" /thund run /graph.toml "$@"`, root)
		text, err := exec.Command("unshare", slices.Concat(args, mode)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", mode, err, text)
		}
		if got, err := os.ReadFile(filepath.Join(root, "out.csv")); err != nil || string(got) != "id\n1\n2\n3\n" {
			t.Errorf("%v: %v, %q\n%s", mode, err, got, text)
		}
		if err := os.Remove(filepath.Join(root, "out.csv")); err != nil {
			t.Error(fmt.Errorf("%v: %w", mode, err))
		}
	}
}
