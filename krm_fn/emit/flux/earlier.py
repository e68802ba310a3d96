"""
Where an earlier run has put the objects of a directory.

Enters: the paths that it wrote, as anybody may have left them.  Leaves: the layer of an object then.  Not known here: files, what is
in them.
"""

from __future__ import annotations

from krm_fn.schema.object_names import is_dns_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

LIST = "kustomization.yaml"
_DIGITS = 6
"""Of a layer."""
_LONGEST = 255
"""Name of a folder, of kind, namespace and name of an instance: that of one without a dot is somebody else's."""


class Earlier:
    """Root folder and layer by the folder of the instance that an object is of, and by its file."""

    __slots__ = ("_places",)

    def __init__(self, paths: Iterable[str] = ()) -> None:
        self._places: dict[tuple[str, str], tuple[str, int]] = {}
        for path in sorted(paths):
            root, _, rest = path.partition("/")
            layer, _, rest = rest.partition("/")
            folder, slash, file = rest.rpartition("/")
            if not rest or (not slash and rest == LIST) or "/" in folder:
                continue
            if is_layer(layer) and "." in root and is_dns_name(root, _LONGEST, dots=True):
                self._places.setdefault((folder or root, file), (root, int(layer)))

    def place(self, folder: str, file: str) -> tuple[str, int] | None:
        return self._places.get((folder, file))


def is_layer(text: str) -> bool:
    """Whether it is how a layer is written."""
    return text.isascii() and text.isdecimal() and len(text) <= _DIGITS and str(int(text)) == text
