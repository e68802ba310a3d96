"""
What kro would do, step by step, against a cluster on paper.

Enters: RGDs, instances and other objects as documents; a script of what users and other controllers do.  Leaves: a record of every
step.  Not known here: files, output, a network.

    served      which kinds the cluster serves, with their scopes and schemas
    cluster     objects by identity: apply, set, delete, as an API server does them
    graphs      RGDs: compiled, their CRDs installed, their state
    instances   one reconcile of one instance: managed, applied, pruned, its status written
    deletion    one reconcile of an instance that is being deleted
    history     the records of a step
    script      the file with the steps
    simulation  all of it: a step, then everything until nothing changes
"""
