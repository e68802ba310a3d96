"""
The only room that talks to a network; the extra `[status-sync]` holds what it needs.

    cluster   a thin client: what is asked of an API server, and what an answer means
    observe   a look at a cluster, and the snapshot; `wants`: what expressions wait for; `owned_kinds`: where something may be
              owned; `parts`: objects, cut down to what is written of them
    live      a cluster whose statuses can be written as well
    reads     what one pass reads, each object once; what one instance sees of it
    graphs    the RGDs, compiled when they change
    kro       what belongs to a kro that runs, and is left to it
    instance_status, rgd_status   what a status should say
    changes   whether it has to be written
    sync      one pass
    wait      what `rookery wait` asks again and again, of single objects
"""
