"""
Program + instance + observed state -> Expansion: which objects there are, which are left out, and what is waited for.

Enters: Programs, admitted instances, an index of observed objects.  Leaves: an `Expansion` tree, or `Fault`s.  Not known here:
files, YAML, targets, the network.

    ownership  whose an object is, by its marks
    observed   objects that somebody saw in a cluster, found by identity or selector
    view       what expressions see of a node: open where nobody looked;  seen: closed where somebody did
    secrets    the values of a cluster that go nowhere
    labels     kro's own labels, for `--kro-labels`
    outcome    the records of the result
    scene      what the nodes of one instance see and leave behind
    node       one node: excluded, deferred, or resolved
    resolve    its template filled in
    readiness  what it shows to those after it, and whether it keeps them waiting
    instance   one instance rendered: its nodes in order, nested instances
    keeping    which instances wait, so that nothing of theirs may go
    held       what lives and must stay while its instance waits
    apply_time what `kpt live` can fill in when it applies
    reconcile  one instance in a cluster: what kro would do in one step
    deletion   what kro would take away next of one that is being deleted
    fields     the author's status fields, as far as they are known
    status     what the status of an instance says after a step
    words      kro's own words for what is waited for
"""
