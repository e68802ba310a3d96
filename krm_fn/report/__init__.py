"""
Diagnostics: what went wrong, where, and what to do. Every other room may raise them; this room knows none of the others.

    diagnostic   the one record of a problem;  catalogue: every name, what it means, causes before consequences;  near: did you mean
    formats      text for people, json_text, sarif and github for programs;  krm: the results of a KRM function
    changes      what changed between two versions of an API
"""
