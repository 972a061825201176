// SPDX-License-Identifier: MIT

// Http serves the functions of one backend over HTTP. A request streams Arrow IPC in, and its
// response streams Arrow IPC out, at the same time:
//
//	http -library build/backends/distance_rust.so -certificate build/dev.crt
//	curl -T points.arrows localhost:8080/functions/distance
//
// GET /functions lists the functions, GET /metrics has counters for Prometheus, and GET /ready
// is for load balancers. On SIGTERM the service finishes its requests, for at most -grace.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ignalina/alloy"
)

func main() {
	address := flag.String("address", "localhost:8080", "where to listen")
	library := flag.String("library", "", "the backend; empty is the built-in echo")
	certificate := flag.String("certificate", "", "the file of the certificate that signed it")
	batch := flag.Duration("batch", time.Minute, "how long a backend may work on one batch")
	grace := flag.Duration("grace", 30*time.Second, "how long requests may go on after SIGTERM")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *address, *library, *certificate, *batch, *grace); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, address, library, certificate string, batch, grace time.Duration) error {
	service := newService()
	service.bridge.BatchTimeout = batch
	defer service.bridge.Close()
	if library != "" {
		signer, err := alloy.ReadCertificate(certificate)
		if err != nil {
			return err
		}
		if err := service.bridge.SetImplLib(library, signer); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	log.Printf("listening on %s", listener.Addr())
	return serve(ctx, listener, service, grace)
}

// serve serves until ctx ends. Requests then have the time of grace to end by themselves;
// after that, their backends are asked to stop.
func serve(ctx context.Context, listener net.Listener, service *service, grace time.Duration) error {
	requests, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	server := &http.Server{
		Handler:           service.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return requests },
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	service.stopping.Store(true)
	patience, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := server.Shutdown(patience)
	if errors.Is(err, context.DeadlineExceeded) {
		// A backend that watches for cancels returns soon; then its request ends.
		stop(errStopping)
		last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err = server.Shutdown(last)
	}
	return err
}
