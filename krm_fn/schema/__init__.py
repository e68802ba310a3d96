"""
Schemas: of the instances that an RGD defines, and of the kinds that its templates make.

Enters: SimpleSchema, CustomResourceDefinitions, the documents of Kubernetes (packed).  Leaves: OpenAPI schemas as plain dicts, types for
expressions, checks of values, the generated CRD.  Not known here: RGDs as a whole, instances of the input, files of users.

What an RGD defines
    simple_schema      SimpleSchema -> an OpenAPI schema;  markers, complaints, refusals: its parts, its words, what a server refuses
    rules              x-kubernetes-validations: whether a rule is sound, and running it;  rule_cost, rule_functions, rule_sizes: its price
    crd                the CRD that kro generates;  plurals;  from_cel_types: the schema of a status, from its expressions
    compatibility      what changes between two CRDs, as kro classifies it;  uncompared: what kro does not look at
    published/         JSON Schemas for editors

Which kinds there are
    kinds              scope and schema of a kind, by apiVersion and kind: the one that others ask;  near_kinds: what was meant
    pack/              the built-in kinds of three Kubernetes minors;  builtin_kinds: their scopes and versions;  kube_version: which minor
    served_crd         what a CRD of the input publishes;  structural_rules: whether an API server takes it;  rgd_crd: kro's own kind
    scope, object_names   namespaced or not; names that Kubernetes takes

What a schema says of a value
    structural         defaulting, pruning and validating an instance, compiled
    server_checks      what an API server would have against a template
    cel_types          the type that expressions see, and what may stand at a field;  escaping, field_names: how names are spelt
    means_itself       whether data is read as what it is;  typed_values, typed_containers, typed_lists, formats: reading it where it is not
"""
