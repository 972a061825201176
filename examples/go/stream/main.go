// SPDX-License-Identifier: MIT
package main

import (
	"context"
	"log"
	"os"

	"github.com/ignalina/alloy"
)

func main() {
	goBridge := alloy.GoBridge{AllowUnsigned: true}
	goBridge.SetImplLib("build/backends/distance_rust.so", "") // a failure sticks: Stream tells it
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
