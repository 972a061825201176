// SPDX-License-Identifier: MIT

package run

import (
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ignalina/alloy"
)

// notes collects what is not an error.
func (p *Plan) notes() {
	for _, d := range p.Graph.Diamonds() {
		p.Notes = append(p.Notes, fmt.Sprintf("%s -> %s: may grow (diamond)", d.From.Name, d.To.Name))
	}
	for _, n := range p.Graph.Nodes {
		if p.Schemas[n] == nil {
			p.Notes = append(p.Notes, fmt.Sprintf("%s: its types are checked when data come, before a row moves", n.Name))
		}
	}
	p.Notes = append(p.Notes, p.pruned...)
	used := map[string]bool{}
	seen := map[string]bool{}
	defer func() {
		for _, name := range slices.Sorted(maps.Keys(p.Graph.Backends)) {
			if !used[name] {
				p.Notes = append(p.Notes, fmt.Sprintf("backend %s: no step uses it, so it was not verified", name))
			}
		}
	}()
	for _, n := range p.Graph.Nodes {
		f := p.Steps[n]
		if f == nil {
			continue
		}
		used[n.Backend.Name] = true
		if f.Backend.Signer == "" {
			p.Notes = append(p.Notes, fmt.Sprintf("%s: unsigned", n.Name))
		}
		if path := n.Backend.Certificate; path != "" && !seen[path] {
			seen[path] = true
			if expires := expiryOf(path); expires != nil {
				if left := int(time.Until(*expires).Hours() / 24); left <= 30 {
					p.Notes = append(p.Notes, fmt.Sprintf("%s: expires in %d days", path, left))
				}
			}
		}
	}
}

// expiryOf returns when a certificate expires; nil: it cannot be read.
func expiryOf(path string) *time.Time {
	text, err := alloy.ReadCertificate(path)
	if err != nil {
		return nil
	}
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	return &certificate.NotAfter
}
