"""
Bytes to documents. Everything that enters Rookery enters here.

Enters: paths, stdin.  Leaves: `Document`s of plain JSON values that can say where each of their parts stands.

    sources        files and directories; the only module that looks at the file system
    ignore         `.krmignore`
    resource_list  the ResourceList on a KRM function's stdin
    yaml           events to values, as Kubernetes reads YAML
    json_text      JSON to values
    scalars        what an unquoted scalar means
    positions      the second reading: places, and what is wrong with a value
    spans          where entries begin and end, for those who edit the text
    syntax         syntax errors in words that say what to do
    lean_yaml      PyYAML's C parser without the rest of PyYAML

Only `sources`, `yaml` and `scalars` are imported by a render without problems.
"""
