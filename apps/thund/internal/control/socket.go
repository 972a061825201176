// SPDX-License-Identifier: MIT

// Package control has the Unix sockets over which runs show themselves to `thund top` and
// `thund tap`: the file of a run that listens, and the clients that find it by its name.
package control

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

const ending = ".sock"

// mostPath is how long the path of a socket may be on Linux, without the number of a process.
const mostPath = 107 - len(".1234567") - len(ending)

// fileOf is the name of a graph as that of a file: a graph's may have slashes, or be too long.
func fileOf(folder, graph string) string {
	name := url.PathEscape(graph)
	if len(folder)+1+len(name) > mostPath {
		sum := sha256.Sum256([]byte(graph))
		name = hex.EncodeToString(sum[:12])
	}
	return name
}

// Folder returns the folder of the sockets of this user. Nobody else may enter it.
func Folder() (string, error) {
	parent := os.Getenv("XDG_RUNTIME_DIR")
	path := filepath.Join(parent, "thund")
	if parent == "" { // as in a service or a container
		path = filepath.Join(os.TempDir(), fmt.Sprintf("thund-%d", os.Getuid()))
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	// Another user may have made it first, or a link in its place.
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	owner, known := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !known || int(owner.Uid) != os.Getuid() {
		return "", fmt.Errorf("%s is not a folder of this user", path)
	}
	if info.Mode().Perm() != 0o700 {
		if err := os.Chmod(path, 0o700); err != nil {
			return "", err
		}
	}
	return path, nil
}

// locked runs f while no other program changes the sockets of a folder. So a socket that refuses
// is one that a killed run has left, and never one that does not listen yet.
func locked(folder string, f func() error) error {
	opened, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer opened.Close()
	for {
		if err = syscall.Flock(int(opened.Fd()), syscall.LOCK_EX); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return err
	}
	return f()
}

// Listen makes the socket of a graph. If a graph of this name runs already, the number of the
// process is in the name too. Closing the listener removes the file.
func Listen(graph string) (net.Listener, error) {
	folder, err := Folder()
	if err != nil {
		return nil, err
	}
	var made net.Listener
	err = locked(folder, func() error {
		name := fileOf(folder, graph)
		path := filepath.Join(folder, name+ending)
		if isUsed(path) {
			path = filepath.Join(folder, fmt.Sprintf("%s.%d%s", name, os.Getpid(), ending))
			if isUsed(path) {
				return fmt.Errorf("a program listens on %s", path)
			}
		}
		var err error
		if made, err = net.Listen("unix", path); err != nil {
			return err
		}
		return os.Chmod(path, 0o600)
	})
	if err != nil && made != nil {
		made.Close()
		made = nil
	}
	return made, err
}

// isUsed reports whether a program listens on a socket, and removes one that nobody uses. The
// folder is locked.
func isUsed(path string) bool {
	peer, err := net.Dial("unix", path)
	if err == nil {
		peer.Close()
		return true
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		os.Remove(path)
	}
	// A file that is no socket, or whose queue of connections is full, stays.
	return !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, os.ErrNotExist)
}

// Running is the socket of a graph that runs.
type Running struct{ Graph, Path string }

// List returns the sockets of the graphs that run, by name; of one name, or if it is empty, of
// all. It removes those that killed runs have left.
func List(graph string) ([]Running, error) {
	folder, err := Folder()
	if err != nil {
		return nil, err
	}
	var found []Running
	err = locked(folder, func() error {
		entries, err := os.ReadDir(folder)
		for _, entry := range entries {
			escaped, isSocket := strings.CutSuffix(entry.Name(), ending)
			if !isSocket {
				continue
			}
			wanted, path := fileOf(folder, graph), filepath.Join(folder, entry.Name())
			if (graph == "" || escaped == wanted || isOf(escaped, wanted)) && isUsed(path) {
				name, err := url.PathUnescape(escaped)
				if err != nil {
					name = escaped
				}
				found = append(found, Running{name, path})
			}
		}
		return err
	})
	slices.SortFunc(found, func(a, b Running) int { return strings.Compare(a.Path, b.Path) })
	return found, err
}

// isOf reports whether a socket is that of another run of a graph: its name, and the number of
// its process.
func isOf(file, graph string) bool {
	number, is := strings.CutPrefix(file, graph+".")
	return is && number != "" && strings.Trim(number, "0123456789") == ""
}
