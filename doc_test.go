// SPDX-License-Identifier: MIT

package alloy_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryPublicNameIsDocumented, in package alloy itself: go doc shows nothing of a type
// that only has another name here.
func TestEveryPublicNameIsDocumented(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	var parsed []*ast.File
	for _, path := range paths {
		file, err := parser.ParseFile(files, path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, file)
	}
	found, err := doc.NewFromFiles(files, parsed, "github.com/ignalina/alloy")
	if err != nil {
		t.Fatal(err)
	}
	need := func(name, text string) {
		if strings.TrimSpace(text) == "" {
			t.Errorf("%s has no documentation", name)
		}
	}
	values := func(list []*doc.Value) {
		for _, value := range list {
			need(strings.Join(value.Names, ", "), value.Doc)
		}
	}
	functions := func(of string, list []*doc.Func) {
		for _, function := range list {
			need(of+function.Name, function.Doc)
		}
	}
	values(found.Consts)
	values(found.Vars)
	functions("", found.Funcs)
	for _, kind := range found.Types {
		need(kind.Name, kind.Doc)
		values(kind.Consts)
		values(kind.Vars)
		functions("", kind.Funcs)
		functions(kind.Name+".", kind.Methods)
		for _, spec := range kind.Decl.Specs {
			if spec.(*ast.TypeSpec).Assign.IsValid() {
				t.Errorf("%s is an alias; go doc does not show its fields and methods", kind.Name)
			}
		}
	}
	if len(found.Types) < 10 {
		t.Errorf("only %d types were found", len(found.Types))
	}
}

func TestGoDocShowsTheBridge(t *testing.T) {
	out, err := exec.Command("go", "doc", "github.com/ignalina/alloy", "GoBridge").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, wanted := range []string{"MayNeed", "Logger", "CheckInputs", "SetImplLib(", "Functions(", "Call(", "Stream(", "FromChunks(", "Close("} {
		if !strings.Contains(string(out), wanted) {
			t.Errorf("go doc does not show %s:\n%s", wanted, out)
		}
	}
}
