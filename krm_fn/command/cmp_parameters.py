"""
The parameters of the Argo CD plugin: what an Application can set, and how that is announced.

Enters: $ARGOCD_APP_PARAMETERS (a JSON list; absent, empty, `null` and `[]` are alike).  Leaves: `Settings`, or a RenderError with
everything that is wrong.  Not known here: whether a path exists, or where it may lead (`cmp`).

Everything comes from whoever may write an Application.  A parameter that is not known is an error: a typo must not change what is
applied.  Argo CD shows the defaults announced here and does not send them.

Source: argo-cd v3.5 reposerver/apiclient ParameterAnnouncement, pkg/apis/application/v1alpha1 ApplicationSourcePluginParameter.
"""

from __future__ import annotations

from krm_fn.emit.argocd import LARGEST_WAVE, is_image
from krm_fn.emit.targets import ARGOCD, Order
from krm_fn.order.layers import GATED, WAVES
from krm_fn.pipeline import APPLY_TIME, FAIL, FALLBACK, WITHHOLD, Options
from krm_fn.report.diagnostic import Diagnostic, RenderError
from krm_fn.schema.kube_version import FORM, read_kube_version
from krm_fn.schema.object_names import MAX_LABEL, is_dns_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

VARIABLE = "ARGOCD_APP_PARAMETERS"
GATE_IMAGE = "ROOKERY_GATE_IMAGE"
NO_JOBS = "none"
_FIELDS = ("string", "array", "map")


class Parameter:
    """
    One parameter.

    choices: the values that it may have.  is_number: whether it is a whole number, as text: Argo CD knows no other.  dynamic: announced by
    `cmp parameters`, not by plugin.yaml.
    """

    __slots__ = ("choices", "default", "dynamic", "is_list", "is_number", "name", "title", "tooltip")

    def __init__(
        self,
        name: str,
        title: str,
        tooltip: str,
        *,
        default: str = "",
        choices: tuple[str, ...] = (),
        is_list: bool = False,
        is_number: bool = False,
        dynamic: bool = False,
    ) -> None:
        self.name = name
        self.title = title
        self.tooltip = tooltip
        self.default = default
        self.choices = choices
        self.is_list = is_list
        self.is_number = is_number
        self.dynamic = dynamic

    def announcement(self) -> dict[str, Any]:
        """What Argo CD shows: `{name, title, tooltip, collectionType, string | array}`."""
        entry: dict[str, Any] = {"name": self.name, "title": self.title, "tooltip": self.tooltip}
        if self.is_list:
            return {**entry, "collectionType": "array", "array": []}
        return {**entry, "collectionType": "string", "string": self.default}


_BOOLEAN = ("false", "true")
_AN_IMAGE = "an image is written like registry.example.com/rookery:v1"
PARAMETERS = (
    Parameter(
        "paths",
        "Paths of shared definitions",
        "files or directories of the repository with ResourceGraphDefinitions, relative to the application",
        is_list=True,
        dynamic=True,
    ),
    Parameter(
        "observed",
        "Paths of observed state",
        "files of the repository with what was seen in the cluster (rookery observe, kubectl get -o yaml), relative to the "
        "application",
        is_list=True,
        dynamic=True,
    ),
    Parameter(
        "cluster",
        "Cluster of observed state",
        "uid of the namespace kube-system: a snapshot of another cluster, and none at all, is refused",
        dynamic=True,
    ),
    Parameter(
        "crds",
        "Paths of CRDs",
        "files or directories of the repository with CustomResourceDefinitions that are read, not applied",
        is_list=True,
        dynamic=True,
    ),
    Parameter(
        "namespace", "Namespace", "of instances that have none; default: the application's destination", dynamic=True
    ),
    Parameter(
        "deferred",
        "Objects that need values of a cluster",
        "withhold: left out and reported; fallback: as if applied, without a status; fail: an error",
        default=WITHHOLD,
        choices=(WITHHOLD, FALLBACK, FAIL),
    ),
    Parameter(
        "emit",
        "Emit",
        "instances: also the instances themselves, suspended for a kro that may run there; "
        "api: also the CRDs of the definitions, for one application of the platform",
        choices=("instances", "api"),
        is_list=True,
    ),
    Parameter(
        "waves",
        "Sync waves",
        "where a wave begins: gated: behind what kro waits for; every-edge: at each dependency",
        default=GATED,
        choices=WAVES,
    ),
    Parameter("waveBase", "First sync wave", "a whole number", default="0", is_number=True),
    Parameter("waveStep", "Step of sync waves", "how far one is from the next: 1 or more", default="1", is_number=True),
    Parameter(
        "waitingMarker",
        "Marker of withheld objects",
        "job: a suspended Job shows the application as Suspended while something is withheld; none: nothing does",
        default="job",
        choices=("job", "none"),
    ),
    Parameter(
        "gateImage",
        "Image of gate Jobs",
        "an image with rookery: in it Jobs wait for the readyWhen that no health check of Argo CD can say; none: no Jobs; "
        "default: what the plugin's image sets",
        dynamic=True,
    ),
    Parameter(
        "kroLabels",
        "kro's labels",
        "kro's own labels instead of Rookery's annotations: true or false",
        default="false",
        choices=_BOOLEAN,
    ),
    Parameter("strict", "Strict", "warnings are errors: true or false", default="false", choices=_BOOLEAN),
    Parameter(
        "allowEmpty",
        "Allow an empty result",
        "no object at all is no error; with automated prune everything is deleted then: true or false",
        default="false",
        choices=_BOOLEAN,
    ),
)
_BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}


class Settings:
    """What an Application asks for. The paths are as they were given."""

    __slots__ = ("allow_empty", "crds", "observed", "options", "paths")

    def __init__(self, values: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        self.paths: list[str] = values.get("paths", [])
        self.observed: list[str] = values.get("observed", [])
        self.crds: list[str] = values.get("crds", [])
        self.allow_empty = values.get("allowEmpty") == "true"
        self.options = Options(
            namespace=values.get("namespace") or environment.get("ARGOCD_APP_NAMESPACE") or "default",
            deferred=values.get("deferred") or WITHHOLD,
            instances="instances" in values.get("emit", ()),
            api="api" in values.get("emit", ()),
            kro_labels=values.get("kroLabels") == "true",
            strict=values.get("strict") == "true",
            kube_version=read_kube_version(environment.get("KUBE_VERSION", ""), by_host=True),
            cluster=values.get("cluster", ""),
            order=Order(
                ARGOCD,
                waves=values.get("waves") or GATED,
                base=int(values.get("waveBase") or 0),
                step=int(values.get("waveStep") or 1),
                marker=values.get("waitingMarker") != "none",
                gate_image=_gate_image(values.get("gateImage", ""), environment),
            ),
        )


def _gate_image(given: str, environment: Mapping[str, str]) -> str:
    return "" if given == NO_JOBS else given or environment.get(GATE_IMAGE, "")


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Errors: `parameters-unreadable`, `parameter-unknown`, `parameter-repeated`, `parameter-value`, `kube-version-invalid`."""
    problems: list[Diagnostic] = []
    values: dict[str, Any] = {}
    for entry in _entries(environment.get(VARIABLE, "")):
        problem = _read(entry, values)
        if problem is not None:
            problems.append(problem)
    problems += _unreadable_version(environment.get("KUBE_VERSION", ""))
    image = environment.get(GATE_IMAGE, "")
    if image and not is_image(image):
        problems.append(Diagnostic("parameter-value", f"${GATE_IMAGE} is {image[:80]!r}", help=_AN_IMAGE))
    if problems:
        raise RenderError(problems)
    return Settings(values, environment)


def _unreadable_version(text: str) -> list[Diagnostic]:
    if not text or read_kube_version(text) is not None:
        return []
    return [Diagnostic("kube-version-invalid", f"$KUBE_VERSION is {text[:80]!r}", help=f"it is {FORM}")]


def _entries(text: str) -> Sequence[Any]:
    if not text.strip():
        return ()
    import json

    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        raise RenderError([_unreadable("is no JSON")]) from None
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise RenderError([_unreadable("is no list")])
    return entries


def _read(entry: Any, values: dict[str, Any]) -> Diagnostic | None:
    """Put the value of one entry into *values*, or say what is wrong with it."""
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str):
        return _unreadable("has an entry without a name")
    parameter = _BY_NAME.get(name)
    if parameter is None:
        return Diagnostic("parameter-unknown", f"{name} is no parameter of this plugin", help=_near(name))
    if name in values:
        return Diagnostic("parameter-repeated", f"parameter {name} is set twice", help="remove one of the two")
    given = {field: entry[field] for field in _FIELDS if entry.get(field) not in (None, "", [], {})}
    wanted = "array" if parameter.is_list else "string"
    if any(field != wanted for field in given):
        return _wrong(parameter, f"a {' and a '.join(given)}", f"write it as `{wanted}:`")
    value = given.get(wanted)
    if value is None:
        return None
    words = value if parameter.is_list else [value]
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        return _wrong(parameter, "no list of words" if parameter.is_list else "no string", f"write it as `{wanted}:`")
    for word in words:
        if parameter.choices and word not in parameter.choices:
            why = "Argo CD does not fill in values, kpt live does: " if (name, word) == ("deferred", APPLY_TIME) else ""
            return _wrong(parameter, repr(word[:80]), f"{why}it is one of {', '.join(parameter.choices)}")
    if name == "namespace" and not is_dns_name(value, MAX_LABEL, dots=False):
        return _wrong(parameter, repr(value[:80]), "a namespace has lower-case letters, digits and '-'")
    if name == "gateImage" and not is_image(value):
        return _wrong(parameter, repr(value[:80]), _AN_IMAGE)
    if parameter.is_number:
        least = 1 if name == "waveStep" else -LARGEST_WAVE
        if not _is_whole(value) or not least <= int(value) <= LARGEST_WAVE:
            return _wrong(parameter, repr(value[:80]), f"a whole number from {least} to {LARGEST_WAVE}, in quotes")
    values[name] = value
    return None


def _is_whole(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < 10


def _wrong(parameter: Parameter, what: str, advice: str) -> Diagnostic:
    return Diagnostic("parameter-value", f"parameter {parameter.name} is {what}", help=advice)


def _unreadable(what: str) -> Diagnostic:
    return Diagnostic(
        "parameters-unreadable",
        f"${VARIABLE} {what}",
        help='Argo CD makes it of spec.source.plugin.parameters: [{"name": "strict", "string": "true"}]',
    )


def _near(name: str) -> str:
    from krm_fn.report.near import closest

    near = closest(name, _BY_NAME)
    return f"did you mean {near}?" if near else f"the parameters are {', '.join(_BY_NAME)}"


def announce(environment: Mapping[str, str], kinds: Sequence[str]) -> list[dict[str, Any]]:
    """
    The dynamic parameters, in the form that Argo CD reads; it lists them before the static ones and merges nothing.

    kinds: what an application can have instances of without further paths.
    """
    found = []
    for parameter in PARAMETERS:
        if not parameter.dynamic:
            continue
        entry = parameter.announcement()
        if parameter.name == "paths" and kinds:
            entry["tooltip"] = f"{parameter.tooltip}; defined already: {', '.join(kinds)}"
        if parameter.name == "namespace":
            entry["string"] = environment.get("ARGOCD_APP_NAMESPACE", "")
        if parameter.name == "gateImage":
            entry["string"] = environment.get(GATE_IMAGE, "")
        found.append(entry)
    return found
