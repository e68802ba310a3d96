"""
PyYAML's C parser without the rest of PyYAML, for a process that needs nothing else of it.

Enters: nothing.  Leaves: `yaml` in `sys.modules`, as a package that holds the extension module `_yaml`, the error, event, node and
token classes, and nothing more.  Called by the process's entry before anything imports `yaml`; a library must not call it, since
whoever imports `yaml` later in the same process would miss the loaders.

`import yaml` takes 25 ms, twice as long as starting Python: it builds two loaders and two dumpers and compiles their regular
expressions. The extension module only wants the names of their exceptions. With this it takes 5 ms. Where PyYAML is laid out
otherwise than it was from 5.1 to 6.0.3, the whole of it is imported as usual.
"""

from __future__ import annotations

import sys

_ERRORS = {
    "reader": ("ReaderError", "YAMLError"),
    "scanner": ("ScannerError", "MarkedYAMLError"),
    "parser": ("ParserError", "MarkedYAMLError"),
    "composer": ("ComposerError", "MarkedYAMLError"),
    "constructor": ("ConstructorError", "MarkedYAMLError"),
    "emitter": ("EmitterError", "YAMLError"),
    "serializer": ("SerializerError", "YAMLError"),
    "representer": ("RepresenterError", "YAMLError"),
}


def import_lean_yaml() -> None:
    """Make `yaml._yaml`, `yaml.error` and `yaml.events` importable at a fifth of the cost; do nothing if `yaml` is there."""
    if "yaml" in sys.modules:
        return
    from importlib.machinery import PathFinder

    spec = PathFinder.find_spec("yaml")
    if spec is None or spec.submodule_search_locations is None:
        return
    module = type(sys)
    package = module("yaml")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["yaml"] = package
    try:
        from yaml import error, events, nodes, tokens

        vars(package).update(error=error, events=events, nodes=nodes, tokens=tokens)
        vars(package).update(YAMLError=error.YAMLError, MarkedYAMLError=error.MarkedYAMLError, Mark=error.Mark)
        for name, (exception, base) in _ERRORS.items():
            part = sys.modules[f"yaml.{name}"] = module(f"yaml.{name}")
            setattr(part, exception, type(exception, (getattr(error, base),), {}))
            setattr(package, name, part)
        import yaml._yaml  # noqa: F401 - that it can be imported is the point
    except (ImportError, AttributeError):
        for name in [name for name in sys.modules if name.partition(".")[0] == "yaml"]:
            del sys.modules[name]
