"""
The only room that talks to a network; the extra `[status-sync]` holds what it needs.

    cluster   a thin client: what is asked of an API server, and what an answer means
    observe   a look at a cluster, and the snapshot; `wants`: what expressions wait for; `owned_kinds`: where something may be
              owned; `parts`: objects, cut down to what is written of them
"""
