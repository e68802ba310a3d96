"""
CEL as kro v0.9.3 has it: text -> tree -> program -> value -> JSON.

    node = parse("schema.spec.replicas * 2")            # CelSyntaxError with positions
    references(node).roots                              # {"schema": ("schema.spec.replicas",)}
    program = compile_(node)
    value = program({"schema": {"spec": {"replicas": 2}}})   # EvaluationError; Unknown is a value
    to_json(value)                                      # 4, OMIT, or an Unknown

Known here: the language. Not known: Kubernetes, where data comes from, what is done with a result.
Records that pass through here are in `cel.values`, `cel.errors` and `cel.syntax`.
"""

from krm_fn.cel.compile import compile_
from krm_fn.cel.convert import to_json
from krm_fn.cel.errors import CelSyntaxError, EvaluationError
from krm_fn.cel.parser import parse
from krm_fn.cel.references import References, references

__all__ = ["CelSyntaxError", "EvaluationError", "References", "compile_", "parse", "references", "to_json"]
