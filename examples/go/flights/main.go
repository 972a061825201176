// SPDX-License-Identifier: MIT

// Flights reads the flights that left New York in 2013. A Rust function describes each
// batch of them, and flights merges the descriptions and prints them as a table.
//
//	flights [-json] [flights.csv.zip]
//
// `tools/setup data` downloads the file, and `make build-all` builds the Rust library.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/ignalina/alloy"
)

func main() {
	asJSON := flag.Bool("json", false, "print one JSON object instead of the table")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, flag.Arg(0), *asJSON); err != nil {
		fmt.Fprintln(os.Stderr, "flights:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file string, asJSON bool) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	build := filepath.Dir(filepath.Dir(program))
	certificate, err := os.ReadFile(filepath.Join(build, "dev.crt.base64"))
	if err != nil {
		return fmt.Errorf("%w; build it with: make build-all", err)
	}
	mem := memory.NewGoAllocator()
	goBridge := alloy.GoBridge{GoAllocator: mem}
	defer goBridge.Close()
	library := filepath.Join(build, "backends", "summary_rust.so")
	if err := goBridge.SetImplLib(library, strings.TrimSpace(string(certificate))); err != nil {
		return err
	}
	if file == "" {
		file = filepath.Join(build, "data", "flights.csv.zip")
	}
	source, err := openFlights(file, mem)
	if err != nil {
		return fmt.Errorf("%w; download the flights with: tools/setup data", err)
	}
	defer source.close()
	total, err := describe(ctx, &goBridge, source)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(total)
	}
	fmt.Print(total.table())
	return nil
}

// describe calls Rust on one batch after the other.
func describe(ctx context.Context, goBridge *alloy.GoBridge, source *flights) (*description, error) {
	total := &description{}
	stderr, err := os.Stderr.Stat()
	isTerminal := err == nil && stderr.Mode()&os.ModeCharDevice != 0
	for {
		begin := time.Now()
		if !source.reader.Next() {
			break
		}
		total.Seconds.Reading += time.Since(begin).Seconds()
		if err := total.add(ctx, goBridge, source.reader.RecordBatch()); err != nil {
			return nil, err
		}
		if isTerminal {
			fmt.Fprint(os.Stderr, bar(source.share(), total.Rows))
		}
	}
	if isTerminal {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
	return total, source.reader.Err()
}

// add describes one batch. The same call on no rows shows the cost of crossing, which does
// not depend on the number of rows.
func (d *description) add(ctx context.Context, goBridge *alloy.GoBridge, batch arrow.RecordBatch) error {
	begin := time.Now()
	summary, err := goBridge.Call(ctx, "summary_of_batch", nil, batch)
	if err != nil {
		return err
	}
	err = d.merge(summary)
	summary.Release()
	if err != nil {
		return err
	}
	call := time.Since(begin).Seconds()
	noRows := batch.NewSlice(0, 0)
	defer noRows.Release()
	begin = time.Now()
	summary, err = goBridge.Call(ctx, "summary_of_batch", nil, noRows)
	if err != nil {
		return err
	}
	summary.Release()
	crossing := min(time.Since(begin).Seconds(), call)
	d.Seconds.Crossing += crossing
	d.Seconds.Computing += call - crossing
	d.Records++
	d.Rows += batch.NumRows()
	return nil
}
