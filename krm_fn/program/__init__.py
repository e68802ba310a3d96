"""
One ResourceGraphDefinition -> one frozen `Program`.

Enters: an RGD as plain JSON.  Leaves: a Program (templates, compiled expressions, dependency graph, order, admission), or
every problem that kro v0.9.3 would reject it for.  Not known here: instances, clusters, files.

    build             puts all of these together; the entry is `build.build_program`
    model             the records of a Program
    definition        the RGD's own structure and naming rules;  external: references;  object_metadata, crd_fields: what a server asks of them
    template          `${…}` in strings, holes in objects, filling them;  template_check: held against the schema of the kind
    allowed           which names a place allows;  unknown_names: what is said of others
    expression_types  what each name stands for, and what each place asks of a result
    conditions        the rules of status.conditions
    graph             references between nodes, cycles, topological order;  nesting: the same between RGDs
    generated         the CRD of a Program
    resource_group    what an RGD was called before kro v0.2
"""
