// SPDX-License-Identifier: MIT

//go:build !linux || !cgo || (!amd64 && !arm64)

package alloy_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/ignalina/alloy"
)

// TestEveryUseIsUnsupported calls each method of a bridge in a program without the engine.
func TestEveryUseIsUnsupported(t *testing.T) {
	contextType := reflect.TypeFor[context.Context]()
	errorType := reflect.TypeFor[error]()
	refused := 0
	bridgeType := reflect.TypeFor[*alloy.GoBridge]()
	for i := range bridgeType.NumMethod() {
		method := bridgeType.Method(i)
		arguments := []reflect.Value{reflect.ValueOf(&alloy.GoBridge{})}
		for j := 1; j < method.Type.NumIn(); j++ {
			in := method.Type.In(j)
			switch {
			case method.Type.IsVariadic() && j == method.Type.NumIn()-1:
			case in == contextType:
				arguments = append(arguments, reflect.ValueOf(context.Background()))
			default:
				arguments = append(arguments, reflect.Zero(in))
			}
		}
		for _, result := range method.Func.Call(arguments) {
			if result.Type() != errorType {
				continue
			}
			refused++
			err, _ := result.Interface().(error)
			var typed *alloy.Error
			if !errors.As(err, &typed) || typed.Code != alloy.Unsupported {
				t.Errorf("%s: got %v, want UNSUPPORTED", method.Name, err)
				continue
			}
			if !strings.Contains(err.Error(), "UNSUPPORTED") || strings.ContainsAny(typed.Text, ".\n") && !strings.Contains(typed.Text, "CGO_ENABLED") {
				t.Errorf("%s: %q is not one plain sentence", method.Name, err)
			}
		}
	}
	if refused < 5 {
		t.Errorf("only %d methods return an error", refused)
	}
}

// TestAFailedLoadStaysWithTheBridge does what the second program of the original does.
func TestAFailedLoadStaysWithTheBridge(t *testing.T) {
	bridge := alloy.GoBridge{}
	loaded := bridge.SetImplLib("library.so", "")
	_, err := bridge.FromChunks(nil)
	if loaded == nil || !errors.Is(err, loaded) {
		t.Errorf("got %v, want %v", err, loaded)
	}
}
