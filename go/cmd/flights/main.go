// SPDX-License-Identifier: MIT

// Flights reads the flights out of New York in 2013, has a Rust library describe each
// record, merges what it says and prints it.
//
//	flights [-library file [-certificate base64]] [-json] [flights.csv.zip]
//
// The file is the one that `tools/setup data` downloads. The library of the build is signed
// by the key of the build; another one without a certificate is loaded unsigned. The results are read where the
// library made them, without a copy.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "flights:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer, messages *os.File) error {
	here, err := programFolder()
	if err != nil {
		return err
	}
	flags := flag.NewFlagSet("flights", flag.ContinueOnError)
	library := flags.String("library", "",
		"the backend with the function summary; default: that of the build")
	certificate := flags.String("certificate", "", "who signed it, as arrowalloy cert-base64 prints")
	asJSON := flags.Bool("json", false, "print one JSON object instead of the table")
	if err := flags.Parse(args); err != nil {
		return err
	}
	file := filepath.Join(here, "..", "data", "flights.csv.zip")
	if flags.NArg() > 1 {
		return errors.New("usage: flights [-library file [-certificate base64]] [-json] [flights.csv.zip]")
	} else if flags.NArg() == 1 {
		file = flags.Arg(0)
	}
	build := filepath.Join(here, "..")
	if *library == "" {
		*library = filepath.Join(build, "backends", "summary_rust.so")
		if *certificate, err = readLine(filepath.Join(build, "dev.crt.base64")); err != nil {
			return err
		}
	}
	for _, need := range []struct{ file, command string }{
		{file, "tools/setup data"}, {*library, "make build-all"},
	} {
		if _, err := os.Stat(need.file); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no %s; get it with: %s", need.file, need.command)
		}
	}

	mem := memory.NewGoAllocator()
	goBridge := alloy.GoBridge{GoAllocator: mem, AllowUnsigned: *certificate == ""}
	defer goBridge.Close()
	if err := goBridge.SetImplLib(*library, *certificate); err != nil {
		return err
	}
	source, err := openFlights(file, mem)
	if err != nil {
		return err
	}
	defer source.Close()
	result, err := summarize(ctx, &goBridge, source, newProgress(messages))
	if err != nil {
		return err
	}
	if *asJSON {
		return json.NewEncoder(out).Encode(result)
	}
	return result.print(out)
}

// readLine reads a file of one line that the build makes.
func readLine(file string) (string, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no %s; get it with: make build-all", file)
	}
	return strings.TrimSpace(string(text)), err
}

func programFolder() (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	program, err = filepath.EvalSymlinks(program)
	return filepath.Dir(program), err
}

// summarize sends one record after another and merges the answers.
func summarize(ctx context.Context, goBridge *alloy.GoBridge, source *flights, bar *progress) (*result, error) {
	defer bar.done()
	total := &result{}
	begin := time.Now()
	for {
		batch, err := source.next()
		total.Seconds.Reading += lap(&begin)
		if err != nil {
			return nil, err
		}
		if batch == nil {
			return total, nil
		}
		if err := total.add(ctx, goBridge, batch); err != nil {
			return nil, err
		}
		begin = time.Now()
		bar.show(source.share(), total.Rows)
	}
}

// add has one record described. What crossing costs does not depend on how many rows
// there are: it is what the same call takes on none of them.
func (r *result) add(ctx context.Context, goBridge *alloy.GoBridge, batch arrow.RecordBatch) error {
	begin := time.Now()
	summary, err := goBridge.Call(ctx, "summary", nil, batch)
	if err != nil {
		return err
	}
	err = r.merge(summary)
	summary.Release()
	call := lap(&begin)
	if err != nil {
		return err
	}
	none := batch.NewSlice(0, 0)
	defer none.Release()
	begin = time.Now()
	empty, err := goBridge.Call(ctx, "summary", nil, none)
	if err != nil {
		return err
	}
	empty.Release()
	crossing := min(lap(&begin), call)
	r.Seconds.Crossing += crossing
	r.Seconds.Computing += call - crossing
	r.Records++
	r.Rows += batch.NumRows()
	return nil
}

// lap gives the seconds since begin, and begins anew.
func lap(begin *time.Time) float64 {
	now := time.Now()
	seconds := now.Sub(*begin).Seconds()
	*begin = now
	return seconds
}
