"""
functionConfig: what a package or a kustomization asks of the function.

Enters: the functionConfig of a ResourceList, or none.  Leaves: a `Request`.  Raises RenderError with everything that is wrong in it.

Two kinds say the same: a `v1 ConfigMap` (`configMap:` of a Kptfile, `kpt fn eval -- key=value`), whose values are strings, and
`fn.rookery.dev/v1alpha1 RenderConfig`, whose `spec` is typed.  Only kustomize has use for the fields that name or hold sources:
kpt hands over whole packages, from a working directory that is the caller's.  An empty value counts as absent: kpt hands a YAML null on as "".
"""

from __future__ import annotations

from krm_fn.function.kustomize import GENERATOR, KPT
from krm_fn.order.layers import WAVES
from krm_fn.pipeline import APPLY_TIME, FAIL, FALLBACK, WITHHOLD, Options
from krm_fn.report.diagnostic import Diagnostic, RenderError, Subject
from krm_fn.schema.kube_version import FORM, read_kube_version
from krm_fn.schema.object_names import MAX_LABEL, is_dns_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.emit.targets import Order
    from krm_fn.read.yaml import Document
    from krm_fn.schema.kube_version import KubeVersion

API_VERSION = "fn.rookery.dev/v1alpha1"
KIND = "RenderConfig"

_POLICIES = (WITHHOLD, FALLBACK, APPLY_TIME, FAIL)
_EMITTED = ("instances",)
_FLAGS = ("kroLabels", "strict")
_FILES = ("paths", "crds", "observed")
_KUSTOMIZE_ONLY = ("resources", *_FILES, "allowEmpty")
KEYS = (
    "namespace",
    "cluster",
    "deferred",
    "target",
    "waves",
    "emit",
    *_FLAGS,
    "kubeVersion",
    "validator",
    *_KUSTOMIZE_ONLY,
)

PLAIN, KPT_TARGET = "plain", "kpt"
ECHO, KUSTOMIZE = "echo", "kustomize"
"""Validators: what one prints that has nothing against its items. Under kustomize's `validators:` no item may come back."""


class Request:
    """
    What the config asks for.

    options: of the rendering.  paths, crds, observed: files and folders.  resources: sources that the config holds itself.
    allow_empty: whether a build may end with no object.  validator: empty to render; else only check, and print as it says.
    """

    __slots__ = ("allow_empty", "crds", "observed", "options", "paths", "resources", "validator")

    def __init__(self, options: Options, config: _Config) -> None:
        self.options = options
        self.paths = config.lines("paths")
        self.crds = config.lines("crds")
        self.observed = config.lines("observed")
        self.resources = config.objects("resources")
        self.allow_empty = config.flag("allowEmpty")
        self.validator = config.choice("validator", ("", ECHO, KUSTOMIZE))


def read_request(config: Document | None, environment: Mapping[str, str], host: str) -> Request:
    """
    What is asked of a run; instances without a namespace get the config's, then $ARGOCD_APP_NAMESPACE, then `default`.

    Errors: `config-kind`, `config-key`, `config-value`, `config-host`.
    """
    reader = _Config(config)
    namespace = reader.namespace() or environment.get("ARGOCD_APP_NAMESPACE") or "default"
    options = Options(
        namespace=namespace,
        deferred=reader.choice("deferred", _POLICIES),
        instances="instances" in reader.words("emit", _EMITTED),
        kro_labels=reader.flag("kroLabels"),
        strict=reader.flag("strict"),
        kube_version=reader.kube_version(),
        cluster=reader.text("cluster", "the uid of a cluster: that of its namespace kube-system"),
        order=reader.order(host),
    )
    request = Request(options, reader)
    reader.refuse_elsewhere(host)
    if reader.problems:
        raise RenderError(reader.problems)
    return request


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
        if value is None or (isinstance(value, str) and is_dns_name(value, MAX_LABEL, dots=False)):
            return value or ""
        self._wrong("namespace", value, "a namespace: lower-case letters, digits and '-'")
        return ""

    def text(self, name: str, wanted: str) -> str:
        value = self.fields.get(name, "")
        if isinstance(value, str):
            return value
        self._wrong(name, value, wanted)
        return ""

    def kube_version(self) -> KubeVersion | None:
        text = self.fields.get("kubeVersion")
        version = read_kube_version(text) if isinstance(text, str) else None
        if text is not None and version is None:
            self._wrong("kubeVersion", text, f"{FORM}{'' if isinstance(text, str) else ', in quotes'}")
        return version

    def order(self, host: str) -> Order | None:
        """None where nothing has to be said to what applies the output. Under kpt that is `kpt live`, unless somebody knows better."""
        target = self.choice("target", (KPT_TARGET, PLAIN) if host == KPT else (PLAIN, KPT_TARGET))
        waves = self.choice("waves", WAVES)
        if target == PLAIN:
            return None
        from krm_fn.emit.targets import Order

        return Order(target, waves=waves)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        value = self.fields.get(name, choices[0])
        if isinstance(value, str) and value in choices:
            return value
        self._wrong(name, value, f"one of {', '.join(filter(None, choices))}")
        return choices[0]

    def words(self, name: str, choices: tuple[str, ...]) -> list[str]:
        """A list of fixed words; in a ConfigMap they are separated by commas."""
        value = self.fields.get(name, [])
        split = [word.strip() for word in value.split(",")] if self.as_text and isinstance(value, str) else value
        if isinstance(split, list) and all(isinstance(word, str) and word in choices for word in split):
            return split
        self._wrong(name, value, f"{'some' if self.as_text else 'a list'} of {', '.join(choices)}")
        return []

    def lines(self, name: str) -> list[str]:
        """A list of texts; in a ConfigMap one a line."""
        value = self.fields.get(name, [])
        split = value.splitlines() if self.as_text and isinstance(value, str) else value
        if isinstance(split, list) and all(isinstance(line, str) for line in split):
            return [line for line in split if line]
        self._wrong(name, value, "a path a line" if self.as_text else "a list of paths")
        return []

    def objects(self, name: str) -> list[dict[str, Any]]:
        value = self.fields.get(name, [])
        if not self.as_text and isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
            return value
        if name in self.fields:
            self._wrong(name, value, f"a list of objects{f', in a {KIND}' if self.as_text else ''}")
        return []

    def refuse_elsewhere(self, host: str) -> None:
        """Complain of what makes no sense to *host*, and would not be seen there."""
        for name in _KUSTOMIZE_ONLY:
            if host == KPT and name in self.fields:
                self._elsewhere(name, "is for kustomize", "in a package RGDs, instances and the rest are items")
        wanted = self.fields.get("validator")
        if host == KPT and wanted == KUSTOMIZE:
            self._elsewhere(
                "validator", "would delete every file of a package", f"validator: {ECHO} passes all items on"
            )
        if host == GENERATOR and wanted in (ECHO, KUSTOMIZE):
            self._elsewhere("validator", "makes no sense in a generator", "list the function under validators")

    def _elsewhere(self, name: str, why: str, advice: str) -> None:
        shown = f": {self.fields[name]}" if name == "validator" else ""
        self._complain("config-host", f"{name}{shown} {why}", (self.section, name), advice, key=True)

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
    from krm_fn.report.near import closest

    near = closest(key, KEYS)
    return f"did you mean {near}?" if near else f"the options are {', '.join(KEYS)}"
