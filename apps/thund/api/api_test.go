// SPDX-License-Identifier: MIT

package api

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestTheOldestFileIsFirst(t *testing.T) {
	got := SortOnAge(map[string]FileEntity{"c": {UnixMilli: 1}, "b": {UnixMilli: 2}, "a": {UnixMilli: 2}, "d": {UnixMilli: -5}})
	if !slices.Equal(got, []string{"d", "c", "a", "b"}) {
		t.Error(got)
	}
	if got := SortOnAge(nil); len(got) != 0 {
		t.Error(got)
	}
}

// Steps for the first Thund use literals without names, so the fields and their order count.
func TestTheNamesOfTheFirstThund(t *testing.T) {
	var fields []string
	of := reflect.TypeFor[FileEntity]()
	for i := range of.NumField() {
		fields = append(fields, of.Field(i).Name+" "+of.Field(i).Type.String())
	}
	want := "Name string, UnixMilli int64, Size int64, Lines int64, Sum []uint8, Header string, Footer string, HashName bool, HasSize bool, HasLines bool, HasSum bool, HasHeader bool, HasFooter bool"
	if got := strings.Join(fields, ", "); got != want {
		t.Error(got)
	}
	var _ NodeProcessor = PipelineProcessor{[]IOEvent{}, NodeProcessor(nil)}
	_ = DAG{[]DAGNode{{"name", nil}}}
	for of, methods := range map[reflect.Type]string{
		reflect.TypeFor[IOEvent]():       "Process func(io.Reader, interface {}) bool, Setup func(interface {}) bool",
		reflect.TypeFor[NodeProcessor](): "Process func() error, Setup func(interface {}) error",
		reflect.TypeFor[Thund]():         "Deploy func(api.DAG, interface {}) error, Start func() error",
	} {
		var got []string
		for i := range of.NumMethod() {
			got = append(got, of.Method(i).Name+" "+of.Method(i).Type.String())
		}
		if strings.Join(got, ", ") != methods {
			t.Errorf("%v: %v", of, got)
		}
	}
}
