// What Argo CD says of an object's health, by the code that its controller runs.
//
// Reads JSON, one question a line, and writes one answer a line:
//
//	{"script": LUA, "objects": [OBJECT...]}      what the script says of each: status and message, or an error
//	{"kinds": [{"group": G, "kind": K}...]}      which of them have a check written in Go; and every bundled script's folder
package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sort"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/health"
	"github.com/argoproj/argo-cd/v3/resource_customizations"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

type question struct {
	Script  string            `json:"script"`
	Objects []json.RawMessage `json:"objects"`
	Kinds   []kind            `json:"kinds"`
}

type kind struct {
	Group string `json:"group"`
	Kind  string `json:"kind"`
}

type verdict struct {
	Status  string `json:"status"`
	Message string `json:"message"`
	Error   string `json:"error,omitempty"`
}

func main() {
	questions := json.NewDecoder(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for {
		var asked question
		if err := questions.Decode(&asked); err != nil {
			return
		}
		var answer any
		var err error
		if asked.Kinds != nil {
			answer, err = builtIn(asked.Kinds)
		} else {
			answer, err = judge(asked.Script, asked.Objects)
		}
		if err == nil {
			err = answers.Encode(answer)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// judge runs the script as gitops-engine does: the same override, the same restricted interpreter, a new one for each object.
func judge(script string, objects []json.RawMessage) ([]verdict, error) {
	made := []verdict{}
	for _, text := range objects {
		var content map[string]any
		if err := utiljson.Unmarshal(text, &content); err != nil { // numbers as the controller's client reads them
			return nil, err
		}
		vm := lua.VM{UseOpenLibs: false}
		found, err := vm.ExecuteHealthLua(&unstructured.Unstructured{Object: content}, script)
		switch {
		case err != nil:
			made = append(made, verdict{Error: err.Error()})
		case found == nil:
			made = append(made, verdict{})
		default:
			made = append(made, verdict{Status: string(found.Status), Message: found.Message})
		}
	}
	return made, nil
}

func builtIn(kinds []kind) (map[string][]string, error) {
	coded := []string{}
	for _, each := range kinds {
		if health.GetHealthCheckFunc(schema.GroupVersionKind{Group: each.Group, Kind: each.Kind}) != nil {
			coded = append(coded, each.Group+"/"+each.Kind)
		}
	}
	bundled := []string{}
	err := fs.WalkDir(resource_customizations.Embedded, ".", func(name string, _ fs.DirEntry, err error) error {
		if err == nil && path.Base(name) == "health.lua" {
			bundled = append(bundled, path.Dir(name))
		}
		return err
	})
	sort.Strings(coded)
	return map[string][]string{"coded": coded, "bundled": bundled}, err
}
