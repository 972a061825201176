// SPDX-License-Identifier: MIT

package server

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
)

var paths = []string{"/", "/snapshot", "/events", "/tap?node=km", "/metrics", "/healthz", "/readyz"}

// ask sends a request with another method, Host or header, and returns the code.
func ask(t *testing.T, method, url, host string, header http.Header, body io.Reader) (int, http.Header) {
	t.Helper()
	request, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	for key, values := range header {
		request.Header[key] = values
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode, answer.Header
}

// Against DNS rebinding: only names of this machine.
func TestOtherHostsAreRefused(t *testing.T) {
	_, _, url := serve(t, newGraph(), nil)
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		for _, host := range []string{"evil.example", "evil.example:9464", "localhost.evil.example", "127.0.0.1.evil.example", "8.8.8.8", "[2001:db8::1]:80", "evil.localhost", "-", "127.0.0.1@evil.example"} {
			if code, _ := ask(t, "GET", url+path, host, nil, nil); code != 403 && code != 400 {
				t.Errorf("%s with Host %s: %d", path, host, code)
			}
		}
	}
	for _, host := range []string{"localhost", "LOCALHOST:1234", "localhost.:80", "127.0.0.1", "127.0.0.1:9464", "[::1]:9464", name, strings.ToUpper(name) + ":80"} {
		if code, _ := ask(t, "GET", url+"/healthz", host, nil, nil); code != 200 {
			t.Errorf("Host %s: %d", host, code)
		}
	}
}

func TestOnlyGetIsAllowed(t *testing.T) {
	s, _, url := serve(t, newGraph(), nil)
	_ = s
	for _, path := range append(paths, "/nothing") {
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"} {
			if code, h := ask(t, method, url+path, "", nil, nil); code != 405 || h.Get("Allow") != "GET" {
				t.Errorf("%s %s: %d %v", method, path, code, h)
			}
		}
	}
	if code, _ := ask(t, "GET", url+"/healthz", "", nil, strings.NewReader("a body")); code != 400 {
		t.Errorf("a GET with a body: %d", code)
	}
	if code, _ := ask(t, "GET", url+"/nothing", "", nil, nil); code != 404 {
		t.Errorf("a path that does not exist: %d", code)
	}
}

// Pages of other sites get nothing, also no image and no script; a link leads to the page.
func TestOtherSitesGetNothing(t *testing.T) {
	_, _, url := serve(t, newGraph(), nil)
	for mode, want := range map[string]int{"no-cors": 403, "cors": 403, "navigate": 200} {
		header := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {mode}, "Origin": {"http://evil.example"}}
		code, h := ask(t, "GET", url+"/snapshot", "", header, nil)
		if code != want {
			t.Errorf("%s: %d", mode, code)
		}
		for key := range h {
			if strings.HasPrefix(key, "Access-Control-") {
				t.Errorf("%s: CORS", mode)
			}
		}
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	_, _, url := serve(t, newGraph(), nil)
	for _, path := range paths {
		_, h := ask(t, "GET", url+path, "", nil, nil)
		for key, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store", "Set-Cookie": ""} {
			if h.Get(key) != want {
				t.Errorf("%s: %s is %q", path, key, h.Get(key))
			}
		}
		if policy := h.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %s", path, policy)
		}
	}
}

func TestAnAddressThatCannotBeUsed(t *testing.T) {
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if IsPublic(l) {
		t.Error("loopback is public")
	}
	for address, want := range map[string]struct {
		text string
		exit int
	}{
		l.Addr().String():     {"another program listens at " + l.Addr().String() + " already", fault.ExitMachine},
		"127.0.0.1":           {"nobody can listen at 127.0.0.1\n", fault.ExitUsage},
		"127.0.0.1:http-alt2": {"nobody can listen", fault.ExitUsage},
		"192.0.2.1:9464":      {"nobody can listen at 192.0.2.1:9464", fault.ExitUsage},
	} {
		made, err := Listen(address)
		if err == nil {
			made.Close()
			t.Errorf("%s can be used", address)
			continue
		}
		if all := fault.All(err); !strings.Contains(err.Error(), want.text) || all[0].Exit != want.exit || all[0].Help == "" {
			t.Errorf("%s: %v, exit code %d", address, err, all[0].Exit)
		}
	}
}

// At an address that other machines can reach, that address is a name too, and the page says how
// this machine is called.
func TestAPublicAddress(t *testing.T) {
	l, err := Listen(":0")
	if err != nil {
		t.Fatal(err)
	}
	if !IsPublic(l) {
		t.Error("all addresses are not public")
	}
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if page := PageAt(l); page != fmt.Sprintf("http://%s:%d/", name, port) {
		t.Error(page)
	}
	s := New(Options{Snapshots: &still{now: newGraph().now, newer: make(chan struct{})}, Nodes: drawn, Edges: arrows})
	go s.Serve(l, s.RemoteHandler())
	defer s.Close()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range addresses {
		at, isIP := one.(*net.IPNet)
		if !isIP || at.IP.IsLinkLocalUnicast() {
			continue
		}
		url := fmt.Sprintf("http://%s/healthz", net.JoinHostPort(at.IP.String(), strconv.Itoa(port)))
		if code, _ := ask(t, "GET", url, "", nil, nil); code != 200 {
			t.Errorf("%s: %d", url, code)
		}
		if code, _ := ask(t, "GET", url, "192.0.2.7", nil, nil); code != 403 {
			t.Errorf("%s as 192.0.2.7: %d", url, code)
		}
	}
}
