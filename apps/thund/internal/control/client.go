// SPDX-License-Identifier: MIT

package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
	"github.com/ignalina/alloy/apps/thund/internal/status"
)

// Client asks one graph that runs.
type Client struct {
	Place string // for messages
	base  string
	http  http.Client
}

// Find returns a client for a URL such as http://127.0.0.1:9464, for the path of a socket, or for
// the name of a graph. Empty: the only graph that runs.
func Find(what string) (*Client, error) {
	if strings.HasPrefix(what, "http://") || strings.HasPrefix(what, "https://") {
		return &Client{Place: what, base: strings.TrimRight(what, "/")}, nil
	}
	if path := strings.TrimPrefix(what, "unix:"); strings.HasSuffix(path, ending) {
		return socketClient(path), nil
	}
	found, err := List(what)
	if err != nil {
		return nil, &fault.Fault{Code: fault.Source, Text: "the folder of the control sockets cannot be used", Detail: []string{err.Error()},
			Help: "set XDG_RUNTIME_DIR to a folder of this user", Exit: fault.ExitMachine, Cause: err}
	}
	if len(found) == 1 {
		return socketClient(found[0].Path), nil
	}
	if len(found) > 1 {
		var places []string
		for _, one := range found {
			places = append(places, one.Graph+": "+one.Path)
		}
		f := &fault.Fault{Code: fault.Name, Text: fmt.Sprintf("%d graphs run", len(found)), Detail: places, Help: "pass the name of a graph, or the path of a socket", Exit: fault.ExitUsage}
		if what != "" {
			f.Text = fmt.Sprintf("graph %q runs %d times", what, len(found))
			f.Help = "pass the path of a socket"
		}
		return nil, f
	}
	f := &fault.Fault{Code: fault.Source, Text: "no graph runs", Help: "start one with: thund run GRAPH.toml", Exit: fault.ExitMachine}
	if what != "" {
		f.Text = fmt.Sprintf("graph %q does not run", what)
		if others, err := List(""); err == nil && len(others) > 0 {
			f.Help = "these graphs run:"
			for _, one := range others {
				f.Help += " " + one.Graph
			}
		}
	}
	return nil, f
}

func socketClient(path string) *Client {
	return &Client{Place: path, base: "http://localhost", http: http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		},
	}}}
}

// get asks for a path. The caller closes the body.
func (c *Client) get(ctx context.Context, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	var answer *http.Response
	if err == nil {
		answer, err = c.http.Do(request)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, c.wrong(err.Error(), err)
	}
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 4096))
		answer.Body.Close()
		return nil, &fault.Fault{Code: fault.Source, Text: "the run has refused to answer", At: c.Place,
			Detail: []string{answer.Status, strings.TrimSpace(string(text))}, Help: "see what runs: thund top", Exit: fault.ExitMachine}
	}
	return answer, nil
}

func (c *Client) wrong(text string, cause error) error {
	return &fault.Fault{Code: fault.Source, Text: "the run does not answer", At: c.Place, Detail: []string{text}, Help: "see whether it still runs: thund top", Exit: fault.ExitMachine, Cause: cause}
}

// Snapshot asks for one snapshot.
func (c *Client) Snapshot(ctx context.Context) (s status.Snapshot, err error) {
	answer, err := c.get(ctx, "/snapshot")
	if err != nil {
		return s, err
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&s); err != nil {
		return s, c.wrong(err.Error(), err)
	}
	return s, nil
}

// mostEvent is the longest line of an event: a snapshot of 256 nodes is far below it.
const mostEvent = 16 << 20

// Follow calls f with each snapshot, until the run ends, f returns false, or the context ends.
func (c *Client) Follow(ctx context.Context, f func(status.Snapshot) bool) error {
	answer, err := c.get(ctx, "/events")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, mostEvent)
	isEnd := false
	for lines.Scan() {
		isEnd = isEnd || lines.Text() == "event: end"
		text, isData := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !isData || isEnd {
			continue
		}
		var s status.Snapshot
		if err := json.Unmarshal(text, &s); err != nil {
			return c.wrong(err.Error(), err)
		}
		if !f(s) {
			return nil
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if isEnd {
		return nil
	}
	broken := &fault.Fault{Code: fault.Source, Text: "the run broke off", At: c.Place, Detail: []string{"it was killed, or it lost this viewer"}, Help: "see whether it still runs: thund top", Exit: fault.ExitMachine}
	if err := lines.Err(); err != nil {
		broken.Detail, broken.Cause = []string{err.Error()}, err
	}
	return broken
}

// Tap asks for the next batches of a node, as an Arrow IPC stream. The caller closes it.
func (c *Client) Tap(ctx context.Context, node string, limit int64) (io.ReadCloser, error) {
	query := url.Values{"node": {node}}
	if limit > 0 {
		query.Set("limit", fmt.Sprint(limit))
	}
	answer, err := c.get(ctx, "/tap?"+query.Encode())
	if err != nil {
		return nil, err
	}
	return answer.Body, nil
}
