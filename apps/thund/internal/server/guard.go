// SPDX-License-Identifier: MIT

package server

import (
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// readOnly refuses every method but GET, and forbids what a page of this server never needs:
// other hosts, frames, forms, and scripts that are not its own.
func readOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if r.Method != http.MethodGet {
			h.Set("Allow", http.MethodGet)
			http.Error(w, "only GET: this server shows a run and cannot change it", http.StatusMethodNotAllowed)
			return
		}
		if r.ContentLength != 0 {
			h.Set("Connection", "close") // nobody reads what follows
			http.Error(w, "a GET without a body is needed", http.StatusBadRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// onlyThisMachine refuses requests that name another host. A page of a stranger may give its
// own name the address of this machine, and would then read the answers as its own. Its scripts
// and images get nothing either; a link in a page may lead here.
func onlyThisMachine(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isThisMachine(r) {
			http.Error(w, "the header Host is not a name of this machine; open the address that thund run has printed", http.StatusForbidden)
			return
		}
		site := r.Header.Get("Sec-Fetch-Site")
		if (site == "cross-site" || site == "same-site") && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
			http.Error(w, "a page of another site has asked", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isThisMachine accepts localhost, the name of the machine, loopback addresses, and the address
// at which the request has arrived. The port may differ, as with a tunnel.
func isThisMachine(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), "."))
	if host == "localhost" {
		return true
	}
	if ip := net.ParseIP(host); ip != nil {
		local, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
		return ip.IsLoopback() || local != nil && local.IP.Equal(ip)
	}
	name, err := os.Hostname()
	name = strings.ToLower(name)
	short, _, _ := strings.Cut(name, ".")
	return err == nil && host != "" && (host == name || host == short)
}
