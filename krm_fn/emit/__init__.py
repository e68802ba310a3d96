"""
Expansions -> the objects of one target, and their bytes.

Enters: `Expansion` trees.  Leaves: `Emitted` objects with their marks, text.  Not known here: how they were computed.

    marks       our annotations, and where an object's file goes
    plain       objects in an order in which they can be applied
    api         the generated CRDs
    targets     what a target adds so that the order is kept:  argocd, gate_jobs, kpt, flux/, and order_words for what cannot be
    apply_time  the annotation of what `kpt live` fills in
    lua/        readyWhen as health checks of Argo CD
    yaml_text   plain JSON as YAML that no reader misreads;  json_lines  as Argo CD reads it
    report      what became of every node, as JSON
"""
