// Verdicts of kro v0.9.3 on ResourceGraphDefinitions: API server admission (dry run), graph builder, admission of the generated CRD (dry run).
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	crdbuilder "k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/cel/openapi/resolver"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/kubernetes-sigs/kro/api/v1alpha1"
	"github.com/kubernetes-sigs/kro/pkg/features"
	"github.com/kubernetes-sigs/kro/pkg/graph"
	schemaresolver "github.com/kubernetes-sigs/kro/pkg/graph/schema/resolver"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "fatal:", err)
		os.Exit(1)
	}
}

type overlay struct {
	next  resolver.SchemaResolver
	memo  map[schema.GroupVersionKind]*spec.Schema
	bad   map[schema.GroupVersionKind]error
	own   map[schema.GroupVersionKind]func() (*spec.Schema, error)
	ownGV map[schema.GroupVersion]bool
}

func (o *overlay) ResolveSchema(gvk schema.GroupVersionKind) (*spec.Schema, error) {
	if f, ok := o.own[gvk]; ok {
		return f()
	}
	if s, ok := o.memo[gvk]; ok {
		return s, nil
	}
	if e, ok := o.bad[gvk]; ok {
		return nil, e
	}
	s, err := o.next.ResolveSchema(gvk)
	if err != nil {
		o.bad[gvk] = err
		return nil, err
	}
	o.memo[gvk] = s
	return s, nil
}

type mapper struct {
	meta.RESTMapper
	own *meta.DefaultRESTMapper
}

func (m *mapper) RESTMapping(gk schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	if r, err := m.own.RESTMapping(gk, versions...); err == nil {
		return r, nil
	}
	return m.RESTMapper.RESTMapping(gk, versions...)
}

type server struct {
	rc *rest.Config
	hc *http.Client
}

func (s *server) dryRun(path string, body []byte, strict string) ([]byte, error) {
	url := s.rc.Host + path + "?dryRun=All&fieldManager=kro&fieldValidation=" + strict
	req, err := http.NewRequest("POST", url, bytes.NewReader(body))
	must(err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.hc.Do(req)
	must(err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	must(err)
	if resp.StatusCode >= 300 {
		var st metav1.Status
		if json.Unmarshal(raw, &st) != nil || st.Message == "" {
			return nil, fmt.Errorf("HTTP %d: %s", resp.StatusCode, raw)
		}
		return nil, fmt.Errorf("%s", st.Message)
	}
	return raw, nil
}

const refPrefix = "#/components/schemas/"

// publish makes the kinds of a CRD resolvable, as the API server would publish them.
func publish(o *overlay, own *meta.DefaultRESTMapper, crd *extv1.CustomResourceDefinition) error {
	for _, v := range crd.Spec.Versions {
		if !v.Served {
			continue
		}
		gvk := schema.GroupVersionKind{Group: crd.Spec.Group, Version: v.Name, Kind: crd.Spec.Names.Kind}
		doc, err := crdbuilder.BuildOpenAPIV3(crd, v.Name, crdbuilder.Options{V2: false, IncludeSelectableFields: true})
		if err != nil {
			return err
		}
		raw, err := json.Marshal(doc) // as it goes over the wire
		if err != nil {
			return err
		}
		var resp struct {
			Components struct {
				Schemas map[string]*spec.Schema `json:"schemas"`
			} `json:"components"`
		}
		if err := json.Unmarshal(raw, &resp); err != nil {
			return err
		}
		root := ""
		for name, s := range resp.Components.Schemas {
			var gvks []schema.GroupVersionKind
			if err := s.Extensions.GetObject("x-kubernetes-group-version-kind", &gvks); err != nil {
				return err
			}
			for _, g := range gvks {
				if g == gvk {
					root = name
				}
			}
		}
		if root == "" {
			return fmt.Errorf("no schema of %v", gvk)
		}
		s, err := resolver.PopulateRefs(func(ref string) (*spec.Schema, bool) {
			s, ok := resp.Components.Schemas[strings.TrimPrefix(ref, refPrefix)]
			return s, ok
		}, root)
		if err != nil {
			return err
		}
		o.own[gvk] = func() (*spec.Schema, error) { return s, nil }
		scope := meta.RESTScopeNamespace
		if crd.Spec.Scope == extv1.ClusterScoped {
			scope = meta.RESTScopeRoot
		}
		own.Add(gvk, scope)
	}
	return nil
}

type request struct {
	ID   string            `json:"id"`
	CRDs []json.RawMessage `json:"crds"`
	RGDs []json.RawMessage `json:"rgds"` // others, in an order in which they can be built
	RGD  json.RawMessage   `json:"rgd"`
	Each []json.RawMessage `json:"each"` // mutants: many RGDs with the same surroundings
	IDs  []string          `json:"ids"`
	Dump bool              `json:"dump"`
}

type answer struct {
	ID      string          `json:"id"`
	Stage   string          `json:"stage"` // accepted, admission, graph, crd, context
	Message string          `json:"message,omitempty"`
	CRD     json.RawMessage `json:"crd,omitempty"`
}

func main() {
	rc, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	must(err)
	rc.QPS, rc.Burst = 1000, 1000
	hc, err := rest.HTTPClientFor(rc)
	must(err)
	must(features.FeatureGate.SetFromMap(map[string]bool{string(features.CELOmitFunction): true}))
	srv := &server{rc, hc}
	combined, err := schemaresolver.NewCombinedResolver(rc, hc)
	must(err)
	dyn, err := apiutil.NewDynamicRESTMapper(rc, hc)
	must(err)
	memo, bad := map[schema.GroupVersionKind]*spec.Schema{}, map[schema.GroupVersionKind]error{}
	cfg := graph.RGDConfig{MaxCollectionSize: 1000, MaxCollectionDimensionSize: 10}

	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) == 0 {
			if err != nil {
				return
			}
			continue
		}
		var rq request
		must(json.Unmarshal(line, &rq))
		own := meta.NewDefaultRESTMapper(nil)
		ov := &overlay{next: combined, memo: memo, bad: bad, own: map[schema.GroupVersionKind]func() (*spec.Schema, error){}}
		b, err := graph.NewBuilder(rc, hc, graph.WithSchemaResolver(ov), graph.WithRESTMapper(&mapper{dyn, own}))
		must(err)
		judge := func(raw json.RawMessage) (a answer, crd *extv1.CustomResourceDefinition) {
			defer func() {
				if p := recover(); p != nil {
					a = answer{Stage: "graph", Message: fmt.Sprintf("panic: %v", p)}
				}
			}()
			stored, err := srv.dryRun("/apis/kro.run/v1alpha1/resourcegraphdefinitions", raw, "Ignore")
			if err != nil {
				return answer{Stage: "admission", Message: err.Error()}, nil
			}
			rgd := &v1alpha1.ResourceGraphDefinition{}
			if err := json.Unmarshal(stored, rgd); err != nil {
				return answer{Stage: "admission", Message: "decode: " + err.Error()}, nil
			}
			g, err := b.NewResourceGraphDefinition(rgd, cfg)
			if err != nil {
				return answer{Stage: "graph", Message: err.Error()}, nil
			}
			g.CRD.APIVersion, g.CRD.Kind = "apiextensions.k8s.io/v1", "CustomResourceDefinition"
			body, err := json.Marshal(g.CRD)
			if err != nil {
				return answer{Stage: "crd", Message: "encode: " + err.Error()}, nil
			}
			full, err := srv.dryRun("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body, "Ignore")
			if err != nil {
				return answer{Stage: "crd", Message: err.Error()}, nil
			}
			crd = &extv1.CustomResourceDefinition{}
			must(json.Unmarshal(full, crd))
			a = answer{Stage: "accepted"}
			if rq.Dump {
				a.CRD = body
			}
			return a, crd
		}
		context := ""
		for _, raw := range rq.CRDs {
			full, err := srv.dryRun("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", raw, "Ignore")
			if err != nil {
				context += "crd: " + err.Error() + "; "
				continue
			}
			crd := &extv1.CustomResourceDefinition{}
			must(json.Unmarshal(full, crd))
			if err := publish(ov, own, crd); err != nil {
				context += "crd: " + err.Error() + "; "
			}
		}
		// the others, until nothing changes: order among them does not matter
		rest := rq.RGDs
		for changed := true; changed && len(rest) > 0; {
			changed = false
			var left []json.RawMessage
			for _, raw := range rest {
				a, crd := judge(raw)
				if a.Stage != "accepted" {
					left = append(left, raw)
					continue
				}
				must(publish(ov, own, crd))
				changed = true
			}
			rest = left
		}
		if len(rest) > 0 {
			for _, raw := range rest {
				a, _ := judge(raw)
				context += a.Stage + ": " + a.Message + "; "
			}
		}
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		if context != "" {
			must(enc.Encode(answer{ID: rq.ID, Stage: "context", Message: context}))
		}
		if len(rq.RGD) > 0 {
			a, _ := judge(rq.RGD)
			a.ID = rq.ID
			must(enc.Encode(a))
		}
		for i, raw := range rq.Each {
			a, _ := judge(raw)
			a.ID = rq.IDs[i]
			must(enc.Encode(a))
		}
		out.Flush()
		if err != nil {
			return
		}
	}
}
