// What cli-utils, the library inside `kpt live apply`, makes of objects: without a cluster, and without changing any.
//
// A case a line on stdin, as JSON: `objects` is what would be applied, `live` what the cluster holds once their sources are
// reconciled. One line of JSON each on stdout: the errors of the dependency graph, its layers, and for every object with an
// annotation what cli-utils reads in it, how many fields each path finds, and the object as it would be sent.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	"sigs.k8s.io/cli-utils/pkg/apply/cache"
	"sigs.k8s.io/cli-utils/pkg/apply/mutator"
	"sigs.k8s.io/cli-utils/pkg/jsonpath"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/cli-utils/pkg/multierror"
	"sigs.k8s.io/cli-utils/pkg/object"
	"sigs.k8s.io/cli-utils/pkg/object/dependson"
	"sigs.k8s.io/cli-utils/pkg/object/graph"
	"sigs.k8s.io/cli-utils/pkg/object/mutation"
)

type input struct {
	Objects []map[string]any `json:"objects"`
	Live    []map[string]any `json:"live"`
}

type output struct {
	Errors  []string   `json:"errors"`
	Layers  [][]string `json:"layers"`
	Objects []reading  `json:"objects"`
}

type reading struct {
	ID            string                       `json:"id"`
	DependsOn     []string                     `json:"dependsOn,omitempty"`
	Substitutions []mutation.FieldSubstitution `json:"substitutions,omitempty"`
	Found         []found                      `json:"found,omitempty"`
	Mutated       map[string]any               `json:"mutated,omitempty"`
	Errors        []string                     `json:"errors,omitempty"`
}

// found is the number of fields that a path matches: the target's before any substitution, the source's in the live object.
type found struct {
	Target int `json:"target"`
	Source int `json:"source"`
}

func main() {
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	answers := json.NewEncoder(os.Stdout)
	answers.SetEscapeHTML(false)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 1 {
			var asked input
			reader := json.NewDecoder(bytes.NewReader(line))
			reader.UseNumber()
			if err := reader.Decode(&asked); err != nil {
				fail(err)
			}
			if err := answers.Encode(check(asked)); err != nil {
				fail(err)
			}
		}
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			fail(err)
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "cli-utils-check:", err)
	os.Exit(1)
}

func check(asked input) output {
	objects := unstructureds(asked.Objects)
	live := unstructureds(asked.Live)
	answer := output{Errors: []string{}, Layers: [][]string{}, Objects: []reading{}}
	if _, err := graph.DependencyGraph(objects); err != nil {
		answer.Errors = texts(err)
	}
	layers, err := graph.SortObjs(objects)
	if err != nil && len(answer.Errors) == 0 {
		answer.Errors = texts(err)
	}
	for _, layer := range layers {
		ids := []string{}
		for _, made := range layer {
			ids = append(ids, object.UnstructuredToObjMetadata(made).String())
		}
		answer.Layers = append(answer.Layers, ids)
	}
	applier := newMutator(append(append([]*unstructured.Unstructured{}, objects...), live...), live)
	for _, made := range objects {
		if mutation.HasAnnotation(made) || dependson.HasAnnotation(made) {
			answer.Objects = append(answer.Objects, read(made, live, applier))
		}
	}
	return answer
}

func read(made *unstructured.Unstructured, live []*unstructured.Unstructured, applier *mutator.ApplyTimeMutator) reading {
	answer := reading{ID: object.UnstructuredToObjMetadata(made).String()}
	dependencies, err := dependson.ReadAnnotation(made)
	if err != nil {
		answer.Errors = append(answer.Errors, texts(err)...)
	}
	for _, id := range dependencies {
		answer.DependsOn = append(answer.DependsOn, id.String())
	}
	substitutions, err := mutation.ReadAnnotation(made)
	if err != nil {
		answer.Errors = append(answer.Errors, texts(err)...)
		return answer
	}
	answer.Substitutions = substitutions
	if !mutation.HasAnnotation(made) {
		return answer
	}
	for _, each := range substitutions {
		count := found{Target: matches(made, each.TargetPath), Source: -1}
		for _, source := range live {
			if object.UnstructuredToObjMetadata(source) == each.SourceRef.ToObjMetadata() {
				count.Source = matches(source, each.SourcePath)
			}
		}
		answer.Found = append(answer.Found, count)
	}
	// Substitution changes the object in place, and puts Go's int where a deep copy expects int64: it works on a copy of its own.
	sent := made.DeepCopy()
	if _, _, err := applier.Mutate(context.Background(), sent); err != nil {
		answer.Errors = append(answer.Errors, err.Error())
		return answer
	}
	answer.Mutated = sent.Object
	return answer
}

func matches(made *unstructured.Unstructured, path string) int {
	values, err := jsonpath.Get(made.Object, path)
	if err != nil {
		return -1
	}
	return len(values)
}

// newMutator is the one that an applier uses, with a cache in which everything live is reconciled and a cluster that holds nothing.
func newMutator(known, live []*unstructured.Unstructured) *mutator.ApplyTimeMutator {
	mapper := meta.NewDefaultRESTMapper(nil)
	for _, each := range known {
		scope := meta.RESTScopeRoot
		if each.GetNamespace() != "" {
			scope = meta.RESTScopeNamespace
		}
		mapper.Add(each.GroupVersionKind(), scope)
	}
	reconciled := cache.NewResourceCacheMap()
	for _, each := range live {
		reconciled.Put(object.UnstructuredToObjMetadata(each), cache.ResourceStatus{Resource: each, Status: status.CurrentStatus})
	}
	empty := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{})
	return &mutator.ApplyTimeMutator{Client: empty, Mapper: mapper, ResourceCache: reconciled}
}

func unstructureds(given []map[string]any) []*unstructured.Unstructured {
	made := []*unstructured.Unstructured{}
	for _, each := range given {
		made = append(made, &unstructured.Unstructured{Object: wholeNumbers(each).(map[string]any)})
	}
	return made
}

// wholeNumbers gives numbers the types that they have in an object from a cluster.
func wholeNumbers(value any) any {
	switch typed := value.(type) {
	case map[string]any:
		for key, child := range typed {
			typed[key] = wholeNumbers(child)
		}
	case []any:
		for i, child := range typed {
			typed[i] = wholeNumbers(child)
		}
	case json.Number:
		if whole, err := typed.Int64(); err == nil {
			return whole
		}
		fraction, err := typed.Float64()
		if err != nil {
			fail(err)
		}
		return fraction
	}
	return value
}

func texts(err error) []string {
	said := []string{}
	for _, each := range multierror.Unwrap(err) {
		said = append(said, each.Error())
	}
	return said
}
