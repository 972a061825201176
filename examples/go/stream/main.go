// SPDX-License-Identifier: MIT
package main

import (
	"context"
	"log"
	"os"
	"strings"

	"github.com/ignalina/alloy"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	certificate, err := os.ReadFile("build/dev.crt.base64")
	if err != nil {
		return err
	}
	goBridge := alloy.GoBridge{}
	err = goBridge.SetImplLib("build/backends/distance_rust.so", strings.TrimSpace(string(certificate)))
	if err != nil {
		return err
	}
	points, err := alloy.ReadIPC(os.Stdin)
	if err != nil {
		return err
	}
	defer points.Release()
	distances, err := goBridge.Stream(context.Background(), "distance", nil, points)
	if err != nil {
		return err
	}
	defer distances.Release()
	return alloy.WriteIPC(os.Stdout, distances)
}
