"""
An RGD for each of many expressions that look at objects in every way there is: by key, whole, by length, item by item.

Enters: nothing.  Leaves: `Case`s. Sources are of built-in kinds (typed, with lists that are merged by keys), of a kind that a CRD
defines, and of one that nobody knows; each sets some of what the expressions ask for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from krm_fn.read.yaml import parse_documents
from krm_fn.report.diagnostic import ERROR
from tests.laws.deferral import Case
from tests.rendering import instance, rgd

SOURCES = """\
- id: svc
  template:
    apiVersion: v1
    kind: Service
    metadata: {name: "${schema.metadata.name}-svc", labels: {a: x}, finalizers: [one/two]}
    spec: {selector: {app: x}, externalIPs: [1.2.3.4], ports: [{port: 80, name: http}, {port: 443, name: tls}]}
- id: dep
  template:
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: dep}
    spec:
      replicas: 2
      selector: {matchLabels: {app: x}}
      template:
        metadata: {labels: {app: x}}
        spec: {containers: [{name: main, image: i, env: [{name: A, value: "1"}]}], nodeSelector: {}}
- id: cm
  template: {apiVersion: v1, kind: ConfigMap, metadata: {name: cm, annotations: {}}, data: {a: x, b: z}}
- id: sec
  template: {apiVersion: v1, kind: Secret, metadata: {name: sec}, stringData: {a: x}, data: {b: eQ==}}
- id: own
  template:
    apiVersion: test.io/v1
    kind: Own
    metadata: {name: own}
    spec: {set: [a], atoms: [1, 2], keyed: [{k: a, v: 1}], plain: [{k: a, v: 1}], texts: {a: x}, numbers: {a: 1}, empty: {}, none: []}
- id: free
  template:
    apiVersion: test.io/v1
    kind: Free
    metadata: {name: free}
    spec: {list: [{k: a, v: 1}], atoms: [1, 2], texts: {a: x}, numbers: {a: 1, b: 2}, empty: {}, none: []}
- id: many
  forEach: [{one: "${['a', 'b']}"}]
  template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "many-${one}"}, data: {own: "${one}"}}
- id: ext
  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: shared}}
"""
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: owns.test.io}
spec:
  group: test.io
  names: {kind: Own, plural: owns, singular: own, listKind: OwnList}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              set: {type: array, x-kubernetes-list-type: set, items: {type: string}}
              atoms: {type: array, items: {type: integer}}
              keyed: &items
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [k]
                items: {type: object, required: [k], properties: {k: {type: string}, v: {type: integer}, more: {type: string, default: d}}}
              plain: {type: array, items: {type: object, properties: {k: {type: string}, v: {type: integer}, more: {type: string, default: d}}}}
              texts: {type: object, additionalProperties: {type: string}}
              numbers: {type: object, additionalProperties: {type: integer}}
              empty: {type: object, properties: {a: {type: string, default: d}}}
              none: {type: array, items: {type: string}}
              other: {type: string}
          status: {type: object, properties: {url: {type: string}, keyed: *items}}
"""
LISTS = (
    "svc.spec.ports", "svc.spec.externalIPs", "svc.metadata.finalizers", "dep.spec.template.spec.containers",
    "dep.spec.template.spec.containers[0].env", "own.spec.set", "own.spec.atoms", "own.spec.keyed", "own.spec.plain", "own.spec.none",
    "own.status.keyed", "free.spec.list", "free.spec.atoms", "free.spec.none", "many", "svc.status.loadBalancer.ingress",
)  # fmt: skip
MAPS = (
    "svc.spec.selector", "svc.metadata.labels", "svc.spec", "svc.spec.ports[0]", "dep.spec.selector", "dep.spec.template.spec.nodeSelector",
    "dep.spec.template.metadata", "cm.data", "cm.metadata.annotations", "sec.data", "own.spec.texts", "own.spec.numbers",
    "own.spec.empty", "own.spec.keyed[0]", "own.spec.plain[0]", "own.status", "free.spec.texts", "free.spec.numbers", "free.spec.empty",
    "free.spec", "free.spec.list[0]", "many[0].data", "ext.data", "svc.metadata", "dep.status", "many[1].metadata",
)  # fmt: skip
SCALARS = (
    "svc.spec.ports[0].port", "svc.spec.clusterIP", "svc.spec.ports[1].nodePort", "dep.spec.replicas", "cm.data.a", "cm.data.z",
    "sec.data.a", "own.spec.other", "own.status.url", "own.spec.empty.a", "free.spec.numbers.a", "free.status.x", "ext.data.a",
    "schema.metadata.uid", "schema.metadata.name", "svc.metadata.uid", "own.spec.keyed[0].more", "own.spec.plain[0].more",
    "own.spec.keyed[1].k", "free.spec.list[1].k",
)  # fmt: skip
OF_LISTS = (
    "string(size({}))", "{}", "{}[0]", "{}[1]", "{}.map(x, x)", "{}.filter(x, true)", "string({}.exists(x, x == {}[0]))",
    "string({}.all(x, has(x.k)))", "string({}.exists(x, has(x.name) && x.name == 'http'))", "string({} == [])", "{} + {}",
    "string({}.exists_one(x, x == {}[0]))", "string(1 in {})", "string('a' in {})", "{}.map(x, x).size()", "{}.?[0].orValue('none')",
    "{}.?[5].orValue('none')", "string({}.all(x, x == x))", "string(true || size({}) > 3)", "string(size({}) >= 0)", "json.marshal({})",
    "{}.slice(0, 1)", "{}.reverse()", "string(size({}) == 1)", "string({} == {})", "string({} != [1])", "{}.distinct()", "{}.last()",
    "{}.map(x, type(x) == map ? 'm' : 's')", "string(type({}) == list)", "{}.transformList(i, x, i)", "{}.flatten()",
    "string({}.isSorted())", "cel.bind(l, {}, string(size(l)))", "[{}].map(l, size(l))", "{'l': {}}.l", "[1, 2].map(i, size({}))",
)  # fmt: skip
OF_MAPS = (
    "{}", "string(size({}))", "string(has({}.a))", "{}.?a.orValue('none')", "string('a' in {})", "string('z' in {})", "{}['a']", "{}['z']",
    "string(has({}.z))", "{}.map(k, k)", "string({}.all(k, k != 'z'))", "string({}.exists(k, k == 'a'))", "string({} == {'a': 'x'})",
    "string({} == {})", "string({} == {'z': 1})", "json.marshal({})", "{}.merge({'q': 'r'})", "{}.filter(k, k == 'a')",
    "{}.transformMap(k, v, v)", "{}.transformList(k, v, k)", "string(false && has({}.z))", "{}.?z.?y.hasValue()", "[{}]",
    "string(type({}) == map)", "string({}.exists_one(k, k == 'a'))", "string({} != {})", "has({}.z) ? 'yes' : 'no'",
    "string([1].all(i, has({}.a)))", "[{}, {'a': 'x'}].distinct().size()", "{}.a == 'x' ? {}.z : 'other'", "string({} in [{}])",
    "optional.of({}).value()", "cel.bind(m, {}, string(has(m.z)))", "{}.?a.optMap(x, x).orValue('n')", "dyn({})",
)  # fmt: skip
OF_SCALARS = (
    "{}", "string({})", "string(has({}))", "{0}.{1}".replace("{0}.{1}", "string({} == {})"), "string({} == 'x')", "string({} != 'x')",
    "[{}]", "{'k': {}}", "string(true || {} == 'x')", "string({} in ['x', 'y'])", "string({} == 80 || {} == 2)", "string({} > 1)",
    "true ? 'a' : string({})", "string(type({}))", "string([1].exists(i, {} == 'x'))", "[{}].filter(v, v == 'x').size()", "string(size({}))",
    "{'x': 1}[?{}].orValue(0)", "string(dyn({}) == 1)", "[{}, 'x'].distinct()", "{}.matches('^x')", "[0, 1].map(i, {})",
)  # fmt: skip


def expressions() -> Iterator[str]:
    for forms, sources in ((OF_LISTS, LISTS), (OF_MAPS, MAPS), (OF_SCALARS, SCALARS)):
        for form in forms:
            for source in sources:
                yield form.replace("{}", source)


def cases(texts: list[str], several: int = 40) -> Iterator[Case]:
    """One node for each expression, *several* to an RGD. Those that have no place in an RGD, or fail there, are left out."""
    for i in range(0, len(texts), several):
        some = texts[i : i + several]
        while some:
            case = case_of(some)
            if case.is_sound:
                yield case
                break
            errors = [finding for finding in case.rendering.findings.sorted() if finding.severity == ERROR]
            bad = {(error.position.line - _FIRST) // 2 for error in errors if error.position is not None}
            assert bad, "an error of no expression"
            assert min(bad) >= 0, errors[0].message
            some = [text for i, text in enumerate(some) if i not in bad]


def case_of(texts: list[str]) -> Case:
    head = "- id: out{i}\n  template: {apiVersion: test.io/v1, kind: Out, metadata: {name: out-{i}}, value: "
    nodes = "".join(f"{head.replace('{i}', str(i))}{json.dumps(f'${{{text}}}')}}}\n" for i, text in enumerate(texts))
    documents = [
        d for i, text in enumerate((rgd(SOURCES + nodes), instance())) for d in parse_documents(text, f"{i}.yaml")
    ]
    return Case("expressions", documents, list(parse_documents(CRD, "crd.yaml")))


_FIRST = rgd(SOURCES).count("\n") + 1
"""The line of the first expression's node."""
