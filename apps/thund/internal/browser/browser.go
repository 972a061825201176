// SPDX-License-Identifier: MIT

// Package browser drives a real Chromium without a window, for the tests of the page. It speaks
// the DevTools protocol over two pipes, so no port is open.
package browser

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// answerTime is how long one command may take, on a machine that is busy with other work.
const answerTime = 20 * time.Second

// names are the programs that are a Chromium, in this order.
var names = []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome-headless-shell"}

// Browser is a running Chromium. Any goroutine may use it.
type Browser struct {
	command *exec.Cmd
	folder  string

	mutex   sync.Mutex
	to      *os.File
	next    int
	waiting map[int]chan message
	pages   map[string]*Page // by session
	failed  error
}

// message is a command, its answer, or an event.
type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// Find returns the path of a Chromium: that of the variable THUND_CHROMIUM, or one of the PATH.
func Find() (string, error) {
	if path := os.Getenv("THUND_CHROMIUM"); path != "" {
		return path, nil
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("there is no Chromium, which this test needs. Install it with: tools/setup test\n" +
		"  Debian: apt-get install chromium; Ubuntu: snap install chromium\n" +
		"  or set THUND_CHROMIUM to the path of a Chromium or Chrome")
}

// Start starts a Chromium with a profile of its own. Close it after use.
func Start() (*Browser, error) {
	path, err := Find()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "thund-chromium-")
	if err != nil {
		return nil, err
	}
	b := &Browser{folder: folder, waiting: map[int]chan message{}, pages: map[string]*Page{}}
	theirIn, to, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	from, theirOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	b.to = to
	b.command = exec.Command(path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
		"--user-data-dir="+folder, "--no-first-run", "--no-default-browser-check", "--no-proxy-server", "--disable-background-networking",
		"--disable-component-update", "--disable-extensions", "--disable-sync", "--force-color-profile=srgb", "--hide-scrollbars")
	b.command.Env = append(os.Environ(), "HOME="+folder)
	b.command.ExtraFiles = []*os.File{theirIn, theirOut} // 3 and 4
	b.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = b.command.Start()
	theirIn.Close()
	theirOut.Close()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s does not start: %w", path, err), os.RemoveAll(folder))
	}
	go b.read(from)
	return b, nil
}

// Close ends the browser with all its processes.
func (b *Browser) Close() {
	_ = b.call("", "Browser.close", nil, nil) // below, it ends in any case
	done := make(chan struct{})
	go func() {
		_ = b.command.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
	}
	_ = syscall.Kill(-b.command.Process.Pid, syscall.SIGKILL) // also of helpers that outlive it
	<-done
	b.to.Close()
	os.RemoveAll(b.folder)
}

// read takes answers and events until the browser ends. Each ends with a zero byte.
func (b *Browser) read(from *os.File) {
	defer from.Close()
	for lines := bufio.NewReader(from); ; {
		text, err := lines.ReadBytes(0)
		if err != nil {
			b.mutex.Lock()
			defer b.mutex.Unlock()
			b.failed = fmt.Errorf("the browser has ended: %w", err)
			for _, waiting := range b.waiting {
				close(waiting)
			}
			return
		}
		var m message
		if json.Unmarshal(text[:len(text)-1], &m) != nil {
			continue
		}
		b.mutex.Lock()
		waiting, page := b.waiting[m.ID], b.pages[m.Session]
		b.mutex.Unlock()
		if m.ID != 0 && waiting != nil {
			waiting <- m
		} else if page != nil {
			page.event(m)
		}
	}
}

// call sends a command and waits for its answer.
func (b *Browser) call(session, method string, params, into any) error {
	text, err := json.Marshal(params)
	if err != nil {
		return err
	}
	answer := make(chan message, 1)
	b.mutex.Lock()
	if err := b.failed; err != nil {
		b.mutex.Unlock()
		return err
	}
	b.next++
	id := b.next
	b.waiting[id] = answer
	if params == nil {
		text = nil
	}
	text, err = json.Marshal(message{ID: id, Session: session, Method: method, Params: text})
	if err == nil {
		_, err = b.to.Write(append(text, 0))
	}
	b.mutex.Unlock()
	if err != nil {
		return err
	}
	defer func() {
		b.mutex.Lock()
		defer b.mutex.Unlock()
		delete(b.waiting, id)
	}()
	select {
	case m, ok := <-answer:
		if !ok {
			return fmt.Errorf("%s: the browser has ended", method)
		}
		if m.Error != nil {
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		}
		if into != nil {
			return json.Unmarshal(m.Result, into)
		}
		return nil
	case <-time.After(answerTime):
		return fmt.Errorf("%s: no answer within %v", method, answerTime)
	}
}
