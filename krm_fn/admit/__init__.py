"""
An instance as an API server would take it, and what is wrong with it.

    admission   under the schema of its RGD
    by_crd      under a CRD that was given, where its RGD is elsewhere
"""
