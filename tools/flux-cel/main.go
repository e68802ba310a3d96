// What Flux's kustomize-controller says of objects by its healthCheckExprs: one case a line in, one answer a line out.
//
//	{"kustomization": {…}, "objects": [{…}]}
//	{"statuses": ["Current", "InProgress", "error: …"]}        or {"refused": "…"} where the controller would not take the Kustomization
//
// A status that is an error is what the controller reports as an error of the object, which it asks again until its timeout.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

type question struct {
	Kustomization json.RawMessage   `json:"kustomization"`
	Objects       []json.RawMessage `json:"objects"`
}

type answer struct {
	Statuses []string `json:"statuses,omitempty"`
	Refused  string   `json:"refused,omitempty"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var asked question
			if err := json.Unmarshal(line, &asked); err != nil {
				fmt.Fprintln(os.Stderr, "flux-cel:", err)
				os.Exit(1)
			}
			if err := out.Encode(judge(asked)); err != nil {
				os.Exit(1)
			}
		}
		if err != nil {
			return
		}
	}
}

func judge(asked question) answer {
	var made kustomizev1.Kustomization
	strict := json.NewDecoder(bytes.NewReader(asked.Kustomization))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&made); err != nil {
		return answer{Refused: err.Error()}
	}
	checks := made.Spec.HealthCheckExprs
	// The reader refuses two checks for one kind; the evaluators are what it would look up.
	if _, err := cel.NewStatusReader(checks); err != nil {
		return answer{Refused: err.Error()}
	}
	evaluators := map[schema.GroupKind]*cel.StatusEvaluator{}
	for i := range checks {
		check := &checks[i]
		evaluator, err := cel.NewStatusEvaluator(&check.HealthCheckExpressions)
		if err != nil {
			return answer{Refused: err.Error()}
		}
		evaluators[schema.FromAPIVersionAndKind(check.APIVersion, check.Kind).GroupKind()] = evaluator
	}
	statuses := make([]string, 0, len(asked.Objects))
	for _, text := range asked.Objects {
		// As the API machinery reads JSON: whole numbers are int64.
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(text); err != nil {
			statuses = append(statuses, "malformed: "+err.Error())
			continue
		}
		evaluator, ok := evaluators[object.GroupVersionKind().GroupKind()]
		if !ok {
			statuses = append(statuses, "no check")
			continue
		}
		result, err := evaluator.Evaluate(context.Background(), object)
		if err != nil {
			statuses = append(statuses, "error: "+err.Error())
			continue
		}
		statuses = append(statuses, result.Status.String())
	}
	return answer{Statuses: statuses}
}
