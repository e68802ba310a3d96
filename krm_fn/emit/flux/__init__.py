"""
The target `flux`: a Kustomization of Flux for each layer.

Enters: expansions, their objects and schedules.  Leaves: files of one directory, and the conditions that Flux cannot judge.  Not known
here: how layers come about, where files go.

    expression       a readyWhen -> CEL as Flux evaluates it, or `NotCarried`
    health           what is waited for in a layer -> `healthChecks`, `healthCheckExprs`
    places           the layer of each object, where a namespace or a kind comes late; what waits for other instances
    kept             what lives and stays, as a part of the instances that made it
    earlier          where an earlier run has put what
    kustomizations   layers -> Kustomizations and files
"""
