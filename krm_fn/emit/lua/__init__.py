"""
`readyWhen` as health checks of Argo CD: Lua that runs in its restricted interpreter.

Enters: Programs.  Leaves: one script for each group and kind, and the nodes that need something else to wait for them.  Not known
here: argocd-cm (`command.health`), who depends on whom.

    expression   an expression of CEL -> an expression of Lua, or `NotCarried`
    known        what is known of an expression: schemas, optionals, ints
    words        the writing of Lua
    library      the functions that those expressions call
    script       what is asked of the nodes of one kind -> the text of its check
    checks       Programs -> scripts and gaps
    built_in     the kinds that Argo CD judges itself
"""
