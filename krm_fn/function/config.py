"""
functionConfig: what a package asks of the function.

Enters: the functionConfig of a ResourceList, or none.  Leaves: `Options`.  Raises RenderError with everything that is wrong in it.

Two kinds say the same: a `v1 ConfigMap` (`configMap:` of a Kptfile, `kpt fn eval -- key=value`), whose values are strings, and
`fn.rookery.dev/v1alpha1 RenderConfig`, whose `spec` is typed.  An empty value counts as absent: kpt hands a YAML null on as "".
"""

from __future__ import annotations

from krm_fn.inputs import is_dns_name
from krm_fn.pipeline import FAIL, FALLBACK, WITHHOLD, Options
from krm_fn.report.diagnostic import Diagnostic, RenderError, Subject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.read.yaml import Document

API_VERSION = "fn.rookery.dev/v1alpha1"
KIND = "RenderConfig"

_POLICIES = (WITHHOLD, FALLBACK, FAIL)
_EMITTED = ("instances",)
_FLAGS = ("kroLabels", "strict")
KEYS = ("namespace", "deferred", "emit", *_FLAGS)
_MAX_NAMESPACE = 63


def read_options(config: Document | None, environment: Mapping[str, str]) -> Options:
    """
    The options of a run; instances without a namespace get the config's, then $ARGOCD_APP_NAMESPACE, then `default`.

    Errors: `config-kind`, `config-key`, `config-value`.
    """
    reader = _Config(config)
    namespace = reader.namespace() or environment.get("ARGOCD_APP_NAMESPACE") or "default"
    options = Options(
        namespace=namespace,
        deferred=reader.choice("deferred", _POLICIES),
        instances="instances" in reader.words("emit", _EMITTED),
        kro_labels=reader.flag("kroLabels"),
        strict=reader.flag("strict"),
    )
    if reader.problems:
        raise RenderError(reader.problems)
    return options


class _Config:
    """The fields of a config of either kind, and what is wrong with them."""

    def __init__(self, config: Document | None) -> None:
        self.config = config
        self.problems: list[Diagnostic] = []
        self.fields: dict[str, Any] = {}
        self.as_text = False
        self.section = "spec"
        if config is None:
            return
        value = config.value if isinstance(config.value, dict) else {}
        kind = (value.get("apiVersion"), value.get("kind"))
        if kind == ("v1", "ConfigMap"):
            self.as_text, self.section = True, "data"
        elif kind != (API_VERSION, KIND):
            shown = " ".join(str(part) for part in kind if part) or "no object"
            self._complain(
                "config-kind",
                f"functionConfig is {shown}",
                (),
                f"give a v1 ConfigMap, or a {KIND} of {API_VERSION}",
            )
            return
        fields = value.get(self.section)
        if isinstance(fields, dict):
            self.fields = {key: field for key, field in fields.items() if field is not None and field != ""}
        elif fields is not None:
            self._complain("config-value", f"{self.section} is no mapping", (self.section,), "")
        for key in self.fields:
            if key not in KEYS:
                self._complain("config-key", f"{key} is no option", (self.section, key), _near(key), key=True)

    def namespace(self) -> str:
        value = self.fields.get("namespace")
        if value is None or (isinstance(value, str) and is_dns_name(value, _MAX_NAMESPACE, dots=False)):
            return value or ""
        self._wrong("namespace", value, "a namespace: lower-case letters, digits and '-'")
        return ""

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        value = self.fields.get(name, choices[0])
        if isinstance(value, str) and value in choices:
            return value
        self._wrong(name, value, f"one of {', '.join(choices)}")
        return choices[0]

    def words(self, name: str, choices: tuple[str, ...]) -> list[str]:
        """A list of fixed words; in a ConfigMap they are separated by commas."""
        value = self.fields.get(name, [])
        split = [word.strip() for word in value.split(",")] if self.as_text and isinstance(value, str) else value
        if isinstance(split, list) and all(isinstance(word, str) and word in choices for word in split):
            return split
        self._wrong(name, value, f"{'some' if self.as_text else 'a list'} of {', '.join(choices)}")
        return []

    def flag(self, name: str) -> bool:
        value = self.fields.get(name, False)
        if self.as_text and value in ("true", "false"):
            return bool(value == "true")
        if isinstance(value, bool) and (not self.as_text or name not in self.fields):
            return value
        self._wrong(name, value, '"true" or "false"' if self.as_text else "true or false")
        return False

    def _wrong(self, name: str, value: Any, wanted: str) -> None:
        shown = repr(value[:80]) if isinstance(value, str) else f"a {type(value).__name__}"
        if isinstance(value, bool | int | float):
            shown = str(value).lower()
        self._complain("config-value", f"{name} is {shown}", (self.section, name), f"it is {wanted}")

    def _complain(self, code: str, message: str, path: tuple[str, ...], advice: str, *, key: bool = False) -> None:
        assert self.config is not None
        value = self.config.value if isinstance(self.config.value, dict) else {}
        metadata = value.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else ""
        self.problems.append(
            Diagnostic(
                code,
                message,
                position=self.config.locate(path, key=key),
                where=".".join(path),
                subject=Subject(str(value.get("apiVersion") or ""), str(value.get("kind") or ""), str(name or "")),
                help=advice,
            )
        )


def _near(key: str) -> str:
    import difflib

    near = difflib.get_close_matches(key, KEYS, n=1)
    return f"did you mean {near[0]}?" if near else f"the options are {', '.join(KEYS)}"
