// SPDX-License-Identifier: MIT

package files

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/ignalina/alloy/apps/thund/api"

	"github.com/ignalina/alloy/apps/thund/internal/graph"
)

// mostLine is how much of the first and of the last line an event gets.
const mostLine = 1 << 16

// EntityOf describes a file for events. Only a CSV file has lines.
func EntityOf(n *graph.Node, path string) (*api.FileEntity, error) {
	opened, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err != nil {
		return nil, err
	}
	e := &api.FileEntity{Name: path, UnixMilli: info.ModTime().UnixMilli(), Size: info.Size(), HashName: true, HasSize: true, HasSum: true}
	hash := sha256.New()
	if n.Format != "csv" {
		_, err = io.Copy(hash, opened)
		e.Sum = hash.Sum(nil)
		return e, err
	}
	e.HasLines, e.HasHeader, e.HasFooter = true, true, true
	reader := bufio.NewReaderSize(io.TeeReader(opened, hash), mostLine)
	for begins := true; ; {
		part, err := reader.ReadSlice('\n')
		if len(part) > 0 && begins {
			e.Lines++
			e.Footer = strings.TrimRight(string(part), "\r\n")
			if e.Lines == 1 {
				e.Header = e.Footer
			}
		}
		begins = err == nil
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			e.Sum = hash.Sum(nil)
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return e, err
		}
	}
}
