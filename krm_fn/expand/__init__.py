"""
Program + instance + observed state -> Expansion: which objects there are, which are left out, and what is waited for.

Enters: Programs, admitted instances, an index of observed objects.  Leaves: an `Expansion` tree, or `Fault`s.  Not known here:
files, YAML, targets, the network.

    observed   objects that somebody saw in a cluster, found by identity or selector
    view       what expressions see of a node: open where nobody looked, closed where somebody did
    labels     kro's own labels, for `--kro-labels`
    outcome    the records of the result
    node       one node: excluded, deferred, or its objects
    instance   one instance: its nodes in order, nested instances, status
"""
