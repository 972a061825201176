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
	certificate, _ := os.ReadFile("build/dev.crt.base64")
	goBridge := alloy.GoBridge{}
	goBridge.SetImplLib("build/backends/distance_rust.so", strings.TrimSpace(string(certificate)))
	points, err := alloy.ReadIPC(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	distances, err := goBridge.Stream(context.Background(), "distance", nil, points)
	if err != nil {
		log.Fatal(err)
	}
	if err := alloy.WriteIPC(os.Stdout, distances); err != nil {
		log.Fatal(err)
	}
	distances.Release()
	points.Release()
}
