// SPDX-License-Identifier: MIT

package server

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"

	"github.com/ignalina/alloy/apps/thund/internal/fault"
)

// Listen takes the address of --listen.
func Listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err == nil {
		return l, nil
	}
	f := &fault.Fault{Code: fault.Listen, Text: fmt.Sprintf("nobody can listen at %s", address), At: "--listen", Detail: []string{err.Error()},
		Help: "give an address of this machine and a port, such as 127.0.0.1:9464", Exit: fault.ExitUsage, Cause: err}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		f.Text = fmt.Sprintf("another program listens at %s already", address)
		f.Help, f.Exit = "end it, or give another port; port 0 takes a free one", fault.ExitMachine
	case errors.Is(err, syscall.EACCES):
		f.Help, f.Exit = "give a port above 1023", fault.ExitMachine
	}
	return nil, f
}

// PageAt is the address of the page for people. A listener at all addresses is named by its machine.
func PageAt(l net.Listener) string {
	place := l.Addr().String()
	if at, isTCP := l.Addr().(*net.TCPAddr); isTCP && at.IP.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			place = net.JoinHostPort(name, strconv.Itoa(at.Port))
		}
	}
	return "http://" + place + "/"
}

// IsPublic reports whether other machines can reach a listener.
func IsPublic(l net.Listener) bool {
	at, isTCP := l.Addr().(*net.TCPAddr)
	return isTCP && !at.IP.IsLoopback()
}
