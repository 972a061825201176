// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

var schema = arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)

func batchOf(first int64) arrow.RecordBatch {
	builder := array.NewInt64Builder(memory.DefaultAllocator)
	defer builder.Release()
	for i := range int64(1000) {
		builder.Append(first + i)
	}
	column := builder.NewArray()
	defer column.Release()
	return array.NewRecordBatch(schema, []arrow.Array{column}, 1000)
}

// bodyOf is a whole request of so many batches.
func bodyOf(t testing.TB, batches int) []byte {
	t.Helper()
	var body bytes.Buffer
	writer := ipc.NewWriter(&body, ipc.WithSchema(schema))
	for i := range batches {
		batch := batchOf(int64(1000 * i))
		if err := writer.Write(batch); err != nil {
			t.Fatal(err)
		}
		batch.Release()
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return body.Bytes()
}

// serviceOf makes a service; an empty library is the built-in echo.
func serviceOf(t testing.TB, library string) *service {
	t.Helper()
	s := newService()
	s.bridge.AllowUnsigned = true
	s.bridge.Logger = slog.New(slog.DiscardHandler)
	t.Cleanup(s.bridge.Close)
	if library == "" {
		return s
	}
	folder := os.Getenv("ALLOY_BACKENDS")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "build", "backends")
	}
	if err := s.bridge.SetImplLib(filepath.Join(folder, library), ""); err != nil {
		t.Fatalf("%v; make build-all builds the library", err)
	}
	return s
}

// forEachProtocol runs a test with HTTP/1.1 and with HTTP/2.
func forEachProtocol(t *testing.T, library string, test func(t *testing.T, s *service, server *httptest.Server)) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(protocol, func(t *testing.T) {
			s := serviceOf(t, library)
			server := httptest.NewUnstartedServer(s.handler())
			server.EnableHTTP2 = protocol == "HTTP/2.0"
			server.StartTLS()
			defer server.Close()
			test(t, s, server)
			s.waitUntilIdle(t)
		})
	}
}

// waitUntilIdle waits until no operation runs and everything is released.
func (s *service) waitUntilIdle(t testing.TB) {
	s.waitFor(t, "running 0\n", "results_outstanding 0\n", "streams_outstanding 0\n")
}

// waitFor waits until the metrics have these parts.
func (s *service) waitFor(t testing.TB, parts ...string) {
	text := ""
	for range 3000 {
		text = s.metricsText()
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) }) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("after 30 s there is no %q in\n%s", parts, text)
}

func (s *service) metricsText() string {
	var text strings.Builder
	s.metrics.write(&text, s.bridge.Outstanding())
	return text.String()
}

// TestBothDirectionsStreamAtOnce sends a batch only when the result of the last has arrived.
func TestBothDirectionsStreamAtOnce(t *testing.T) {
	forEachProtocol(t, "", func(t *testing.T, _ *service, server *httptest.Server) {
		body, feed := io.Pipe()
		writer := ipc.NewWriter(feed, ipc.WithSchema(schema))
		first := batchOf(0)
		defer first.Release()
		sent := make(chan error, 1)
		go func() { sent <- writer.Write(first) }()
		response, err := server.Client().Post(server.URL+"/functions/echo", streamType, body)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
		in, err := alloy.ReadIPC(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Release()
		for i := range int64(10) {
			if !in.Next() {
				t.Fatalf("batch %d: %v", i, in.Err())
			}
			if got := in.RecordBatch().Column(0).(*array.Int64).Value(0); got != 1000*i {
				t.Errorf("batch %d begins with %d", i, got)
			}
			if i < 9 {
				next := batchOf(1000 * (i + 1))
				if err := writer.Write(next); err != nil {
					t.Fatal(err)
				}
				next.Release()
			}
		}
		writer.Close()
		feed.Close()
		if in.Next() || in.Err() != nil {
			t.Errorf("got %v at the end", in.Err())
		}
	})
}

// TestAClientThatGoesAwayStopsTheBackend calls a function that works for 20 s unless it is
// cancelled. The client goes away with its request sent to the end, or not.
func TestAClientThatGoesAwayStopsTheBackend(t *testing.T) {
	forEachProtocol(t, filepath.Join("tests", "flows.so"), func(t *testing.T, s *service, server *httptest.Server) {
		whole := bodyOf(t, 3)
		for _, sent := range []int{len(whole), len(whole) / 2} {
			ctx, cancel := context.WithCancel(t.Context())
			begin := time.Now()
			body := io.MultiReader(bytes.NewReader(whole[:sent]), waiting{ctx})
			if sent == len(whole) {
				body = bytes.NewReader(whole)
			}
			request, err := http.NewRequestWithContext(ctx, "POST", server.URL+"/functions/slow", body)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				defer cancel()
				s.waitFor(t, "alloy_operations_running 1\n")
			}()
			if response, err := server.Client().Do(request); err == nil {
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
			s.waitUntilIdle(t)
			if took := time.Since(begin); took > 15*time.Second {
				t.Errorf("%d of %d bytes: the backend worked on for %v", sent, len(whole), took)
			}
		}
		if text := s.metricsText(); !strings.Contains(text, `alloy_operations_total{kind="stream",function="slow",code="CANCELLED"} 2`) {
			t.Errorf("got\n%s", text)
		}
	})
}

// waiting is a body whose rest never comes.
type waiting struct{ ctx context.Context }

func (w waiting) Read([]byte) (int, error) {
	<-w.ctx.Done()
	return 0, io.EOF
}

func TestErrorsHaveTheirStatus(t *testing.T) {
	forEachProtocol(t, filepath.Join("tests", "flows.so"), func(t *testing.T, _ *service, server *httptest.Server) {
		whole := bodyOf(t, 3)
		for _, c := range []struct {
			url    string
			body   []byte
			status int
			code   string
		}{
			{"/functions/nothing", whole, http.StatusNotFound, "NOT_FOUND"},
			{"/functions/slow?nothing=1", whole, http.StatusBadRequest, "INVALID"},
			{"/functions/slow", []byte("not Arrow at all"), http.StatusBadRequest, "BAD_DATA"},
			{"/functions/slow", whole[:100], http.StatusBadRequest, "BAD_DATA"},
			{"/functions/slow", nil, http.StatusBadRequest, "BAD_DATA"},
		} {
			response, err := server.Client().Post(server.URL+c.url, streamType, bytes.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			var p problem
			err = json.NewDecoder(response.Body).Decode(&p)
			response.Body.Close()
			if err != nil || response.StatusCode != c.status || p.Code != c.code || p.Text == "" {
				t.Errorf("%s with %d bytes: got %d, %+v, %v", c.url, len(c.body), response.StatusCode, p, err)
			}
		}
	})
}

// TestWhatIsLeftOfARequestIsNotTheNextOne: the rest of a refused request is a request itself.
// On a connection that lives on, it would be answered, and the client would take that for the
// answer to its next request.
func TestWhatIsLeftOfARequestIsNotTheNextOne(t *testing.T) {
	server := httptest.NewServer(serviceOf(t, "").handler())
	defer server.Close()
	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	fmt.Fprint(connection, "POST /functions/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\ngarbage!")
	connection.SetReadDeadline(time.Now().Add(10 * time.Second))
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil || response.StatusCode != http.StatusBadRequest || !response.Close {
		t.Fatalf("got %+v, %v", response, err)
	}
	io.Copy(io.Discard, response.Body)
	fmt.Fprint(connection, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
	rest, err := io.ReadAll(connection)
	if len(rest) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection lives on: %v\n%s", err, rest)
	}
}

// TestAnErrorAfterTheFirstBatchIsInTheTrailer. The client also misses the end marker.
func TestAnErrorAfterTheFirstBatchIsInTheTrailer(t *testing.T) {
	forEachProtocol(t, "", func(t *testing.T, _ *service, server *httptest.Server) {
		whole := bodyOf(t, 3)
		response, err := server.Client().Post(server.URL+"/functions/echo", streamType, bytes.NewReader(whole[:len(whole)-100]))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		in, err := alloy.ReadIPC(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Release()
		batches := 0
		for in.Next() {
			batches++
		}
		io.Copy(io.Discard, response.Body)
		if batches != 2 || in.Err() == nil || !strings.Contains(response.Trailer.Get(errorTrailer), "BAD_DATA") {
			t.Errorf("got %d batches, %v, trailer %q", batches, in.Err(), response.Trailer.Get(errorTrailer))
		}
	})
}

func TestEachCodeHasItsStatus(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
	}{
		{&alloy.Error{Code: alloy.NoMatch}, 422},
		{&alloy.Error{Code: alloy.Refused, Side: alloy.SideEngine}, 500},
		{&alloy.Error{Code: alloy.Failed, Side: alloy.SideBackend}, 500},
		{&alloy.Error{Code: alloy.Failed, Side: alloy.SideCaller}, 400},
		{&alloy.Error{Code: alloy.Exhausted, Side: alloy.SideCaller}, 413},
		{&alloy.Error{Code: alloy.Exhausted, Side: alloy.SideBackend}, 503},
		{&alloy.Error{Code: alloy.Timeout}, 504},
		{&alloy.Error{Code: alloy.Cancelled}, 499},
		{fmt.Errorf("call: %w", &alloy.Error{Code: alloy.Unsupported}), 501},
		{&alloy.Error{Code: 99}, 500},
		{errors.New("of somebody else"), 500},
	} {
		if got := statusOf(c.err); got != c.status {
			t.Errorf("%v: got %d, want %d", c.err, got, c.status)
		}
	}
	_, err := alloy.ReadIPC(http.MaxBytesReader(nil, io.NopCloser(bytes.NewReader(bodyOf(t, 1))), 10))
	if got := statusOf(err); got != http.StatusRequestEntityTooLarge {
		t.Errorf("%v: got %d", err, got)
	}
}

// TestManyClientsAtOnce is the load: clients that read to the end, and clients that go away.
func TestManyClientsAtOnce(t *testing.T) {
	before := runtime.NumGoroutine()
	forEachProtocol(t, "", func(t *testing.T, s *service, server *httptest.Server) {
		const clients, requests, batches = 12, 8, 12
		whole := bodyOf(t, batches)
		var running sync.WaitGroup
		for client := range clients {
			running.Go(func() {
				for i := range requests {
					leaves := (client+i)%4 == 0
					if err := echoed(server, whole, batches, leaves); err != nil {
						t.Errorf("client %d, request %d: %v", client, i, err)
					}
				}
			})
		}
		running.Wait()
		s.waitUntilIdle(t)
		text := s.metricsText()
		if !strings.Contains(text, `alloy_operations_total{kind="stream",function="echo",code="OK"} `) || strings.Contains(text, "INTERNAL") {
			t.Errorf("got\n%s", text)
		}
	})
	for range 500 {
		if runtime.NumGoroutine() <= before+2 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}

// echoed sends a request and checks what comes back. A client that leaves reads one batch.
func echoed(server *httptest.Server, whole []byte, batches int, leaves bool) error {
	response, err := server.Client().Post(server.URL+"/functions/echo", streamType, bytes.NewReader(whole))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	in, err := alloy.ReadIPC(response.Body)
	if err != nil {
		return err
	}
	defer in.Release()
	got := 0
	for in.Next() {
		if value := in.RecordBatch().Column(0).(*array.Int64).Value(7); value != int64(1000*got+7) {
			return fmt.Errorf("batch %d has %d in row 7", got, value)
		}
		if got++; leaves {
			return nil
		}
	}
	if in.Err() == nil && got != batches {
		return fmt.Errorf("%d batches of %d", got, batches)
	}
	return in.Err()
}

// TestAStopWaitsForRequests: the service takes no new connection, and the request that has
// begun ends by itself.
func TestAStopWaitsForRequests(t *testing.T) {
	s := serviceOf(t, "")
	url, stop, stopped := started(t, s, time.Minute)
	body, feed := io.Pipe()
	writer := ipc.NewWriter(feed, ipc.WithSchema(schema))
	first := batchOf(0)
	defer first.Release()
	sent := make(chan error, 1)
	go func() { sent <- writer.Write(first) }()
	response, err := http.Post(url+"/functions/echo", streamType, body)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	stop()
	for !s.stopping.Load() {
		time.Sleep(time.Millisecond)
	}
	for {
		connection, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			break
		}
		connection.Close()
	}
	if err := writer.Write(first); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	feed.Close()
	in, err := alloy.ReadIPC(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Release()
	for range 2 {
		if !in.Next() {
			t.Fatal(in.Err())
		}
	}
	if in.Next() || in.Err() != nil {
		t.Errorf("got %v at the end", in.Err())
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	w := httptest.NewRecorder()
	s.handler().ServeHTTP(w, httptest.NewRequest("GET", "/ready", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("/ready is %d", w.Code)
	}
}

// TestAStopDoesNotWaitForEver: neither for a backend that works on, nor for a client that
// sends nothing.
func TestAStopDoesNotWaitForEver(t *testing.T) {
	s := serviceOf(t, filepath.Join("tests", "flows.so"))
	url, stop, stopped := started(t, s, 100*time.Millisecond)
	var clients sync.WaitGroup
	defer clients.Wait()
	silent, end := context.WithCancel(t.Context())
	defer end()
	for _, body := range []io.Reader{bytes.NewReader(bodyOf(t, 3)), waiting{silent}} {
		clients.Go(func() {
			response, err := http.Post(url+"/functions/slow", streamType, body)
			if err != nil {
				return // the connection may break first
			}
			defer response.Body.Close()
			if response.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("got %s", response.Status)
			}
		})
	}
	s.waitFor(t, "alloy_operations_running 1\n")
	begin := time.Now()
	stop()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
}

// started serves on a free port until stop is called.
func started(t *testing.T, s *service, grace time.Duration) (url string, stop func(), stopped chan error) {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stopped = make(chan error, 1)
	go func() { stopped <- serve(ctx, listener, s, grace) }()
	return "http://" + listener.Addr().String(), stop, stopped
}

func TestFunctionsAndMetricsAreListed(t *testing.T) {
	s := serviceOf(t, "")
	for path, wanted := range map[string]string{
		"/functions": `"Name":"echo"`, "/metrics": "alloy_operations_running 0", "/ready": `"Name":`,
	} {
		w := httptest.NewRecorder()
		s.handler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), wanted) {
			t.Errorf("%s: got %d %s", path, w.Code, w.Body)
		}
	}
}
