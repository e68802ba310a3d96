"""
Every diagnostic that Rookery can give: its name and what it means, causes before their consequences.

Enters: nothing.  Leaves: `MEANINGS` by name, and `rank` of a name.  Imported where two problems must be put in order, and for
formats that describe their rules.  Not known here: who finds a problem, how it is worded.

The order of the groups is the order in which problems are shown: what is in a file can only be judged once the file is read, an
expression once the definition around it is sound.  Within a group, problems stand in the order of the files.

A new diagnostic needs a line here and a page in `docs/errors/` that shows it; `tests/test_errors.py` says what is missing, and
writes what Rookery says into the page.
"""

from __future__ import annotations

GROUPS: dict[str, dict[str, str]] = {
    "Settings": {
        "config-kind": "functionConfig is of a kind that the function does not know",
        "config-key": "functionConfig has an option that does not exist",
        "config-value": "an option of functionConfig has a value that it cannot have",
        "config-host": "an option of functionConfig makes no sense to the host that runs the function",
        "parameters-unreadable": "the parameters of the Argo CD plugin are not what Argo CD sends",
        "parameter-unknown": "an Application sets a parameter that the plugin does not have",
        "parameter-repeated": "an Application sets a parameter twice",
        "parameter-value": "an Application gives a parameter a value that it cannot have",
        "timeout-invalid": "ROOKERY_TIMEOUT is not a number of seconds",
    },
    "Files": {
        "file-not-found": "a path leads to nothing",
        "file-unreadable": "a file or folder cannot be read",
        "special-file": "a path leads to something that is neither a file nor a folder",
        "symlink-outside": "a link leads out of the given paths",
        "path-outside": "a path leads out of the repository",
        "input-too-large": "the input is larger than Rookery reads",
        "kustomize-missing": "an application has a kustomization, and the plugin's image has no kustomize",
        "kustomize-outside": "a kustomization names something outside the repository",
        "kustomize-failed": "kustomize cannot build the application",
    },
    "YAML": {
        "yaml-encoding": "a file is not UTF-8 text that YAML can hold",
        "yaml-syntax": "a file is not YAML",
        "yaml-too-deep": "mappings and lists are nested deeper than Rookery reads",
        "yaml-aliases": "a YAML alias cannot be followed",
        "yaml-unsupported": "YAML that has no meaning in a Kubernetes manifest",
        "duplicate-key": "a key stands twice in one mapping",
    },
    "Documents": {
        "not-a-resource-list": "the input of the KRM function is no ResourceList",
        "no-items": "the ResourceList has no items",
        "selectors": "kpt's selectors hide a part of the package",
        "no-home-package": "kpt's items are of packages of which none contains the others",
        "repeated-marks": "two items carry the marks of one rendered object",
        "not-an-object": "a document is no Kubernetes object",
        "observed-without-name": "an observed object has no name",
        "nothing-to-render": "there is nothing to render among the input",
        "nothing-to-validate": "there is no ResourceGraphDefinition among the input",
    },
    "Definitions": {
        "unsupported-rgd-version": "a ResourceGraphDefinition is of a version that kro does not serve",
        "rgd-missing-field": "a ResourceGraphDefinition lacks a field that it must have",
        "rgd-wrong-type": "a field of a ResourceGraphDefinition has a value of the wrong type",
        "rgd-unknown-field": "a ResourceGraphDefinition has a field that kro does not know",
        "invalid-kind": "the kind that a ResourceGraphDefinition defines is not UpperCamelCase",
        "invalid-api-version": "the version that a ResourceGraphDefinition defines is not a Kubernetes version",
        "invalid-scope": "a scope is neither Namespaced nor Cluster",
        "duplicate-kind": "two ResourceGraphDefinitions define one kind",
        "invalid-id": "the id of a resource, or a forEach variable, is not lowerCamelCase",
        "reserved-word": "the id of a resource, or a forEach variable, is a reserved word",
        "duplicate-id": "two resources have one id",
        "template-missing": "a resource has neither template nor externalRef",
        "template-and-external": "a resource has both template and externalRef",
        "template-not-an-object": "a template does not look like a Kubernetes object",
        "external-name-or-selector": "an external reference needs a name or a selector, and not both",
        "external-foreach": "an external reference has forEach",
        "foreach-dimension": "an entry of forEach is not one variable with its list",
        "foreach-too-many-dimensions": "a resource has more than ten forEach variables",
        "foreach-name-clash": "a forEach variable has a name that is taken",
        "generate-name": "a template uses generateName",
        "namespace-missing": "an object of a cluster-scoped instance has no namespace",
        "namespace-on-cluster-scoped": "an object of a cluster-scoped kind has a namespace",
        "reserved-label": "a template sets a label that is kro's own",
        "unknown-kind": "nothing is known of a template's kind",
        "owner-reference-removed": "an owner reference to the instance is left out",
    },
    "Schemas": {
        "schema-too-large": "a schema is larger than a cluster can store",
        "type-not-text": "a field of a schema has no type",
        "type-empty": "a type is empty",
        "type-unknown": "a type does not exist",
        "type-too-deep": "a type is nested too deep",
        "type-cycle": "a custom type contains itself",
        "map-key-not-string": "the keys of a map are not strings",
        "marker-unknown": "a marker does not exist",
        "marker-without-value": "a marker has no value",
        "marker-unclosed": "a quote or a bracket of a marker is not closed",
        "marker-bad-value": "a marker has a value that it cannot have",
        "marker-wrong-type": "a marker does not apply to fields of this type",
        "marker-conflict": "two markers contradict each other",
        "marker-refused": "the API server refuses what a marker asks for",
        "default-not-json": "a default is not JSON",
        "default-refused": "the API server refuses a default",
        "rule-invalid": "the API server refuses a validation rule",
    },
    "Expressions: syntax": {
        "template-syntax": "a ${…} of a template cannot be read",
        "not-an-expression": "a text stands where only one ${…} may stand",
        "cel-syntax": "an expression is not CEL",
        "status-without-expression": "a field of the status has no expression",
    },
    "Expressions: names": {
        "unknown-function": "an expression calls a function that kro does not have",
        "unknown-reference": "an expression uses a name that does not exist",
        "self-reference": "a resource refers to itself",
        "reference-not-allowed": "an expression uses a name that exists, but not in this place",
        "omit-outside-template": "omit() stands outside a template",
        "omit-in-identity": "omit() stands where a field is needed",
        "expression-in-crd": "a template of a CustomResourceDefinition has an expression outside metadata",
        "status-without-reference": "a field of the status depends on nothing",
        "foreach-not-in-identity": "a forEach variable does not make the names of the objects differ",
        "dependency-cycle": "resources wait for each other",
    },
    "Expressions: types": {
        "undefined-field": "an expression asks for a field that its object does not have",
        "cel-type": "an expression is of a type that its place, or a part of it, does not take",
        "invalid-condition": "a condition of the status cannot be what it says",
    },
    "Instances": {
        "rgd-missing": "no ResourceGraphDefinition defines the kind of an instance",
        "wrong-version": "an instance is of a version that its definition does not serve",
        "invalid-name": "the name or the namespace of an instance is one that the API server refuses",
        "duplicate-instance": "an instance stands in the input twice",
        "instance-missing-field": "an instance lacks a required field",
        "instance-unknown-field": "an instance has a field that its schema does not have",
        "instance-wrong-type": "a field of an instance has a value of the wrong type",
        "instance-not-in-enum": "a field of an instance has a value that is not one of the allowed ones",
        "instance-pattern-mismatch": "a text of an instance does not match the pattern of its field",
        "instance-too-small": "a number of an instance is less than the minimum",
        "instance-too-large": "a number of an instance is more than the maximum",
        "instance-too-short": "a text of an instance is shorter than allowed",
        "instance-too-long": "a text of an instance is longer than allowed",
        "instance-too-few-items": "a list of an instance has fewer items than allowed",
        "instance-too-many-items": "a list of an instance has more items than allowed",
        "instance-duplicate-item": "a list of an instance repeats an item that must be unique",
        "instance-rule-failed": "an instance breaks a validation rule",
        "instance-rule-unchecked": "a validation rule cannot be checked here",
    },
    "Rendering": {
        "missing-field": "an expression needs a field of the instance that is not there",
        "cel-no-such-overload": "an operator or a function is given values that it does not take",
        "cel-division-by-zero": "an expression divides by zero",
        "cel-overflow": "a number leaves the range of its type",
        "cel-bad-conversion": "a value cannot be converted",
        "cel-bad-argument": "a function is given a value that it cannot work with",
        "cel-budget-exceeded": "an expression takes more steps than are allowed",
        "not-a-bool": "a condition gives something that is no boolean",
        "foreach-not-a-list": "forEach runs over something that is no list",
        "collection-too-large": "forEach makes more than 1,000 objects",
        "invalid-identity": "an object comes out without a name",
        "invalid-selector": "the selector of an external reference is one that the API server refuses",
        "nested-instance-invalid": "a resource makes an instance that its schema refuses",
        "nesting-loop": "instances make each other without end",
        "identity-clash": "two resources, or two instances, make one object",
        "waits-forever": "an object needs a field that its instance does not set",
        "never-ready": "readyWhen is false whatever the cluster says",
        "not-ready": "an observed object is not ready",
        "deferred": "an object needs what only a cluster knows",
        "external-not-observed": "an external reference was not observed",
    },
    "Output": {
        "not-ours": "somebody else's manifest and an instance make one object",
        "unfit-character": "an object has a character that kustomize cannot write",
        "not-local-config": "a source would be applied to the cluster",
        "other-package": "an instance is left to the package that it is of",
        "held": "an earlier object is kept while its instance waits for the cluster",
        "removed": "an earlier object is removed",
        "left-out": "a manifest is no instance, and not written",
        "empty-output": "the result is empty",
        "second-opinion-differs": "the second opinion of cel-python on an expression is another one",
        "cannot-write": "the output cannot be written",
        "timeout": "the Argo CD plugin ran out of time",
    },
}
"""The diagnostics by group, in order of importance."""

MEANINGS: dict[str, str] = {code: meaning for group in GROUPS.values() for code, meaning in group.items()}
_RANKS = {code: rank for rank, group in enumerate(GROUPS.values()) for code in group}


def rank(code: str) -> int:
    """The place of a diagnostic's group; what is not in the catalogue comes last."""
    return _RANKS.get(code, len(GROUPS))
