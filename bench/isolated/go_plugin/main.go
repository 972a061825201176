// SPDX-License-Identifier: MIT

// Program go_plugin measures what hashicorp/go-plugin costs: gRPC on a Unix socket to a
// plugin process. A batch crosses as an Arrow IPC stream and comes back the same way, and
// both sides decode it. isolated_bench asks, one line each on standard input:
//
//	trip COLUMNS ROWS TIMES   answer: nanoseconds of one round trip
//	start                     answer: nanoseconds from nothing to the first answer of a plugin
//	crash COLUMNS ROWS        answer: nanoseconds from a crash to the next good answer
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const method = "/bench.Echo/Call"

var handshake = plugin.HandshakeConfig{
	ProtocolVersion: 1, MagicCookieKey: "ALLOY_BENCH_PLUGIN", MagicCookieValue: "echo",
}

// echo is both ends of the plugin: the server, and the connection of the client.
type echo struct{ plugin.Plugin }

func (echo) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	call := func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in := new(wrapperspb.BytesValue)
		if err := decode(in); err != nil {
			return nil, err
		}
		if len(in.Value) == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		batch, err := fromBytes(in.Value)
		if err != nil {
			return nil, err
		}
		defer batch.Release()
		out, err := toBytes(batch)
		return wrapperspb.Bytes(out), err
	}
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "bench.Echo", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Call", Handler: call}},
	}, struct{}{})
	return nil
}

func (echo) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

func toBytes(batch arrow.RecordBatch) ([]byte, error) {
	var buffer bytes.Buffer
	writer := ipc.NewWriter(&buffer, ipc.WithSchema(batch.Schema()))
	err := writer.Write(batch)
	return buffer.Bytes(), errors.Join(err, writer.Close())
}

func fromBytes(data []byte) (arrow.RecordBatch, error) {
	reader, err := ipc.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	defer reader.Release()
	if !reader.Next() {
		return nil, errors.Join(errors.New("no batch"), reader.Err())
	}
	batch := reader.RecordBatch()
	batch.Retain()
	return batch, nil
}

type host struct {
	client *plugin.Client
	conn   *grpc.ClientConn
	batch  arrow.RecordBatch
}

func (h *host) start() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	h.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  handshake,
		Plugins:          plugin.PluginSet{"echo": echo{}},
		Cmd:              exec.Command(program),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Logger:           hclog.NewNullLogger(),
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)),
		},
	})
	protocol, err := h.client.Client()
	if err != nil {
		return err
	}
	conn, err := protocol.Dispense("echo")
	if err != nil {
		return err
	}
	h.conn = conn.(*grpc.ClientConn)
	return nil
}

func (h *host) use(columns, rows int) {
	if h.batch != nil && int(h.batch.NumCols()) == columns && int(h.batch.NumRows()) == rows {
		return
	}
	fields := make([]arrow.Field, columns)
	arrays := make([]arrow.Array, columns)
	for i := range fields {
		fields[i] = arrow.Field{Name: fmt.Sprintf("column%d", i), Type: arrow.PrimitiveTypes.Int64}
		builder := array.NewInt64Builder(memory.DefaultAllocator)
		for row := range rows {
			builder.Append(int64(row))
		}
		arrays[i] = builder.NewArray()
	}
	h.batch = array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, int64(rows))
}

func (h *host) trip() (arrow.RecordBatch, error) {
	data, err := toBytes(h.batch)
	if err != nil {
		return nil, err
	}
	out := new(wrapperspb.BytesValue)
	if err := h.conn.Invoke(context.Background(), method, wrapperspb.Bytes(data), out); err != nil {
		return nil, err
	}
	return fromBytes(out.Value)
}

func (h *host) trips(times int) (time.Duration, error) {
	begin := time.Now()
	for range times - 1 {
		result, err := h.trip()
		if err != nil {
			return 0, err
		}
		result.Release()
	}
	result, err := h.trip()
	took := time.Since(begin)
	if err != nil {
		return 0, err
	}
	defer result.Release()
	if !array.RecordEqual(result, h.batch) {
		return 0, errors.New("the plugin returned another batch")
	}
	return took / time.Duration(times), nil
}

// restart ends the plugin, if asked by a crash, and measures until the next good answer.
func (h *host) restart(crash bool) (time.Duration, error) {
	if !crash {
		h.client.Kill()
	}
	begin := time.Now()
	if crash {
		out := new(wrapperspb.BytesValue)
		if h.conn.Invoke(context.Background(), method, wrapperspb.Bytes(nil), out) == nil {
			return 0, errors.New("the plugin did not crash")
		}
	}
	if err := h.start(); err != nil {
		return 0, err
	}
	result, err := h.trip()
	took := time.Since(begin)
	if err == nil {
		result.Release()
	}
	return took, err
}

func (h *host) answer(line string) (time.Duration, error) {
	var columns, rows, times int
	if n, _ := fmt.Sscanf(line, "trip %d %d %d", &columns, &rows, &times); n == 3 {
		h.use(columns, rows)
		return h.trips(times)
	}
	if n, _ := fmt.Sscanf(line, "crash %d %d", &columns, &rows); n == 2 {
		h.use(columns, rows)
		return h.restart(true)
	}
	if line == "start" {
		h.use(1, 1024)
		return h.restart(false)
	}
	return 0, fmt.Errorf("unknown: %s", line)
}

func measure() error {
	h := &host{}
	if err := h.start(); err != nil {
		return err
	}
	defer func() { h.client.Kill() }()
	// isolated_bench ends this program by a signal, and the plugin must end too.
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	go func() {
		<-ended
		h.client.Kill()
		os.Exit(0)
	}()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		took, err := h.answer(lines.Text())
		if err != nil {
			return err
		}
		fmt.Println(took.Nanoseconds())
	}
	return lines.Err()
}

func main() {
	if os.Getenv(handshake.MagicCookieKey) != "" {
		plugin.Serve(&plugin.ServeConfig{
			HandshakeConfig: handshake,
			Plugins:         plugin.PluginSet{"echo": echo{}},
			GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
				return grpc.NewServer(append(options, grpc.MaxRecvMsgSize(math.MaxInt32))...)
			},
			Logger: hclog.NewNullLogger(),
		})
		return
	}
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, "go_plugin:", err)
		os.Exit(1)
	}
}
