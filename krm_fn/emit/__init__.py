"""
Expansions -> the objects of one target, and their bytes.

Enters: `Expansion` trees.  Leaves: `Emitted` objects with their marks, text.  Not known here: how they were computed.

    marks       our annotations, and where an object's file goes
    plain       objects in an order in which they can be applied
    yaml_text   plain JSON as YAML that no reader misreads
    report      what became of every node, as JSON
"""
