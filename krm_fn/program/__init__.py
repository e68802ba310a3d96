"""
One ResourceGraphDefinition -> one frozen `Program`.

Enters: an RGD as plain JSON.  Leaves: a Program (templates, compiled expressions, dependency graph, order, admission), or
every problem that kro v0.9.3 would reject it for.  Not known here: instances, clusters, files.

    template     `${…}` in strings, holes in objects, filling them
    definition   the RGD's own structure and naming rules
    graph        references between nodes, cycles, topological order
    build        puts these together; the entry is `build.build_program`
"""
