// SPDX-License-Identifier: MIT

// Meters sends readings to the graph live.toml until Ctrl-C, or reads its feed.
//
//	meters [-rows 1000] [-pause 5ms] FOLDER
//	meters -read FOLDER
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

var schema = arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64},
	{Name: "meter", Type: arrow.BinaryTypes.String}, {Name: "power", Type: arrow.PrimitiveTypes.Float64}}, nil)

func main() {
	rows := flag.Int64("rows", 1000, "rows in a batch")
	pause := flag.Duration("pause", 5*time.Millisecond, "the time between two batches")
	read := flag.Bool("read", false, "read the feed")
	flag.Parse()
	do := func() (int64, error) { return send(filepath.Join(flag.Arg(0), "live.sock"), *rows, *pause) }
	verb := "sent"
	if *read {
		verb, do = "read", func() (int64, error) { return receive(filepath.Join(flag.Arg(0), "feed.sock")) }
	}
	count, err := do()
	fmt.Printf("%s %d rows\n", verb, count)
	if err != nil {
		fmt.Fprintln(os.Stderr, "meters:", err)
		os.Exit(1)
	}
}

// send sends batches until a signal, and then ends the stream.
func send(socket string, rows int64, pause time.Duration) (sent int64, err error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return 0, fmt.Errorf("%w; start the graph first: thund run live.toml", err)
	}
	defer conn.Close()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	writer := ipc.NewWriter(conn, ipc.WithSchema(schema))
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for {
		select {
		case <-signals:
			return sent, writer.Close()
		case <-time.After(pause):
		}
		for range rows {
			builder.Field(0).(*array.Int64Builder).Append(sent)
			builder.Field(1).(*array.StringBuilder).Append(fmt.Sprintf("meter %d", sent%7))
			builder.Field(2).(*array.Float64Builder).Append(rand.Float64())
			sent++
		}
		batch := builder.NewRecordBatch()
		err := writer.Write(batch)
		batch.Release()
		if err != nil {
			return sent - rows, err
		}
	}
}

// receive counts the rows of the feed until it ends.
func receive(socket string) (count int64, err error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	reader, err := ipc.NewReader(conn)
	if err != nil {
		return 0, err
	}
	defer reader.Release()
	for reader.Next() {
		count += reader.RecordBatch().NumRows()
	}
	return count, reader.Err()
}
