// SPDX-License-Identifier: MIT

package control

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// runtime sets the folder of a user.
func runtime(t *testing.T) string {
	t.Helper()
	parent, err := os.MkdirTemp("", "run") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(parent) })
	t.Setenv("XDG_RUNTIME_DIR", parent)
	return filepath.Join(parent, "thund")
}

func listen(t *testing.T, graph string) net.Listener {
	t.Helper()
	made, err := Listen(graph)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { made.Close() })
	return made
}

// killed leaves a socket as a killed run does.
func killed(t *testing.T, graph string) string {
	t.Helper()
	made := listen(t, graph).(*net.UnixListener)
	made.SetUnlinkOnClose(false)
	made.Close()
	return made.Addr().String()
}

func TestOnlyTheUserMayEnterTheFolder(t *testing.T) {
	folder := runtime(t)
	if err := os.Mkdir(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	path := listen(t, "a").Addr().String()
	for name, mode := range map[string]os.FileMode{folder: 0o700, path: 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
}

func TestAFolderOfSomebodyElseIsRefused(t *testing.T) {
	folder := runtime(t)
	if err := os.Symlink(t.TempDir(), folder); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen("a"); err == nil || !strings.Contains(err.Error(), "is not a folder of this user") {
		t.Error(err)
	}
	if _, err := Find(""); err == nil || !strings.Contains(err.Error(), "set XDG_RUNTIME_DIR") {
		t.Error(err)
	}
}

func TestWithoutARuntimeFolderThereIsOneInTemp(t *testing.T) {
	runtime(t)
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv("TMPDIR", t.TempDir())
	folder, err := Folder()
	if want := filepath.Join(os.TempDir(), fmt.Sprintf("thund-%d", os.Getuid())); err != nil || folder != want {
		t.Errorf("%s and not %s: %v", folder, want, err)
	}
}

func TestASocketIsRemovedAtTheEnd(t *testing.T) {
	runtime(t)
	made := listen(t, "a")
	path := made.Addr().String()
	made.Close()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Error(err)
	}
}

// What killed runs have left is removed by the next run and by clients.
func TestASocketOfAKilledRunIsRemoved(t *testing.T) {
	runtime(t)
	path := killed(t, "a")
	if again := listen(t, "a"); again.Addr().String() != path {
		t.Errorf("it listens on %s", again.Addr())
	} else {
		again.Close()
	}
	path = killed(t, "a")
	if _, err := Find("a"); err == nil || !strings.Contains(err.Error(), `graph "a" does not run`) {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestAGraphIsFoundByItsName(t *testing.T) {
	runtime(t)
	strange := strings.Repeat("../", 3) + "näme <&>"
	for _, name := range []string{"a", "ab", strange, strings.Repeat("long", 100)} {
		path := listen(t, name).Addr().String()
		if c, err := Find(name); err != nil || c.Place != path {
			t.Errorf("%s: %v %v", name, c, err)
		}
		if c, err := Find(path); err != nil || c.Place != path {
			t.Errorf("%s: %v %v", path, c, err)
		}
	}
	for what, texts := range map[string][]string{
		"":  {"4 graphs run", "a: ", "pass the name of a graph"},
		"b": {`graph "b" does not run`, "these graphs run: ", "ab"},
	} {
		_, err := Find(what)
		for _, text := range texts {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%q: %v has no %q", what, err, text)
			}
		}
	}
}

// Two runs of one graph do not disturb each other.
func TestTwoRunsOfAGraphHaveTwoSockets(t *testing.T) {
	runtime(t)
	first, second := listen(t, "a"), listen(t, "a")
	if first.Addr().String() == second.Addr().String() {
		t.Error("they share one")
	}
	if _, err := Find("a"); err == nil || !strings.Contains(err.Error(), `graph "a" runs 2 times`) || !strings.Contains(err.Error(), second.Addr().String()) {
		t.Error(err)
	}
	first.Close()
	if c, err := Find("a"); err != nil || c.Place != second.Addr().String() {
		t.Error(c, err)
	}
}

// However runs begin and end, nobody takes away the socket of a run that listens.
func TestRunsThatBeginAtTheSameTimeAllListen(t *testing.T) {
	runtime(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 20 {
				made, err := Listen(fmt.Sprint("graph ", i))
				if err != nil {
					t.Error(err)
					return
				}
				if found, err := List(fmt.Sprint("graph ", i)); err != nil || len(found) != 1 {
					t.Errorf("%v %v", found, err)
				}
				made.Close()
			}
		})
	}
	all.Wait()
	if _, err := Find(""); err == nil || !strings.Contains(err.Error(), "no graph runs") {
		t.Error(err)
	}
}

func TestARunThatHasGoneIsAnError(t *testing.T) {
	runtime(t)
	path := killed(t, "a")
	c, err := Find(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Snapshot(context.Background()); err == nil || !strings.Contains(err.Error(), "the run does not answer") {
		t.Error(err)
	}
}
