// SPDX-License-Identifier: MIT

package api

import (
	"cmp"
	"maps"
	"slices"
)

// FileEntity describes a file. A field whose Has field is false says nothing.
type FileEntity struct {
	Name      string
	UnixMilli int64 // when the file was changed
	Size      int64 // bytes
	Lines     int64
	Sum       []byte // SHA-256
	Header    string // the first line
	Footer    string // the last line
	HashName  bool
	HasSize   bool
	HasLines  bool
	HasSum    bool
	HasHeader bool
	HasFooter bool
}

// SortOnAge returns the keys of a map, that of the oldest file first. Files of the same age
// are in the order of their keys.
func SortOnAge(fileEntityMap map[string]FileEntity) []string {
	return slices.SortedFunc(maps.Keys(fileEntityMap), func(a, b string) int {
		return cmp.Or(cmp.Compare(fileEntityMap[a].UnixMilli, fileEntityMap[b].UnixMilli), cmp.Compare(a, b))
	})
}
