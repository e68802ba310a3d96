"""The values of an observed Secret reach nothing: no object, no report, no message."""

from __future__ import annotations

import io
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from krm_fn.cel.values import Unknown
from krm_fn.command import run
from krm_fn.expand.instance import World
from krm_fn.expand.observed import Observed
from krm_fn.expand.reconcile import reconcile
from krm_fn.expand.secrets import is_secret_path, without_secrets
from krm_fn.read.yaml import parse_documents
from tests.rendering import config_map, instance, render, rgd

MARKER = "hunter2"
CODED = b64encode(MARKER.encode()).decode()
COPY = f'{{"stringData":{{"password":"{MARKER}"}}}}'
LIVE = f"""\
apiVersion: v1
kind: Secret
metadata:
  name: login
  namespace: store
  uid: u-1
  labels: {{team: a}}
  annotations: {{note: text, kubectl.kubernetes.io/last-applied-configuration: '{COPY}'}}
type: Opaque
data: {{password: {CODED}, port: {b64encode(b"8080").decode()}}}
"""
EXTERNAL = "- id: login\n  externalRef: {apiVersion: v1, kind: Secret, metadata: {name: login}}\n"
ALL = "- id: all\n  externalRef: {apiVersion: v1, kind: Secret, metadata: {selector: {matchLabels: {team: a}}}}\n"
OWN = """\
- id: own
  template:
    apiVersion: v1
    kind: Secret
    metadata: {name: login}
    stringData: {user: me}
"""


@pytest.mark.parametrize(
    ("resource", "expression", "value"),
    [
        pytest.param(EXTERNAL, "login.metadata.uid", "u-1", id="metadata"),
        pytest.param(EXTERNAL, "login.metadata.annotations.note", "text", id="annotations"),
        pytest.param(EXTERNAL, "login.type", "Opaque", id="the type"),
        pytest.param(EXTERNAL, "string(size(login.data))", "2", id="how many keys"),
        pytest.param(EXTERNAL, "login.data.map(k, k).sort().join(',')", "password,port", id="the keys"),
        pytest.param(EXTERNAL, "string('password' in login.data)", "true", id="whether it has a key"),
        pytest.param(EXTERNAL, "string(has(login.data.other))", "false", id="that it lacks one"),
        pytest.param(ALL, "all.map(s, s.metadata.name).join(',')", "login", id="metadata of many"),
        pytest.param(OWN, "string(own.data.user)", "me", id="what its own template sets"),
        pytest.param(OWN, "own.metadata.uid", "u-1", id="metadata of an own one"),
    ],
)
def test_what_can_be_had_of_a_secret(resource: str, expression: str, value: str) -> None:
    result = render(rgd(resource + config_map("a", f'{{x: "${{{expression}}}"}}')), instance(), observed=LIVE)
    assert result["shop-a"]["data"] == {"x": value}


@pytest.mark.parametrize(
    ("resource", "expression", "path"),
    [
        pytest.param(EXTERNAL, "string(login.data.password)", "login.data.password", id="a value"),
        pytest.param(
            EXTERNAL, "string(login.data.password == b'x')", "login.data.password", id="whether it is this one"
        ),
        pytest.param(EXTERNAL, "string(size(login.data.password))", "login.data.password", id="how long it is"),
        pytest.param(
            EXTERNAL, "string(b'x' in login.data.map(k, login.data[k]))", "login.data.password", id="among others"
        ),
        pytest.param(EXTERNAL, "json.marshal(login)", "login.data.password", id="as a part of all"),
        pytest.param(
            EXTERNAL,
            "string(login.data == {'password': b'x', 'port': b'y'})",
            "login.data.password",
            id="data as a whole",
        ),
        pytest.param(ALL, "string(all[0].data.password)", "all[0].data.password", id="of one of many"),
        pytest.param(OWN, "string(own.data.password)", "own.data.password", id="what its own template does not set"),
    ],
)
def test_a_node_that_needs_a_secret_value_is_withheld_and_says_so(resource: str, expression: str, path: str) -> None:
    text = rgd(resource + config_map("a", f'{{x: "${{{expression}}}"}}'))
    result = render(text, instance(), observed=LIVE)
    assert result.states["a"] == "deferred"
    [finding] = [each for each in result.findings if each.code != "live-unknown"]
    assert finding.code == "secret-value"
    assert f"needs {path}, a secret value of the cluster" in finding.message


def test_to_observe_the_secret_is_no_remedy() -> None:
    """So the same is said when nobody has."""
    result = render(rgd(EXTERNAL + config_map("a", '{x: "${string(login.data.password)}"}')), instance())
    assert "secret-value" in result.codes


@pytest.mark.parametrize("version", ["v1", "/v1", "v2"])
@pytest.mark.parametrize("data", [{"a": MARKER}, MARKER, [MARKER], {"a": {"b": MARKER}}], ids=str)
@pytest.mark.parametrize("field", ["data", "stringData"])
def test_whatever_stands_there(version: str, data: Any, field: str) -> None:
    hidden = without_secrets({"apiVersion": version, "kind": "Secret", "metadata": {}, field: data}, "x")
    assert MARKER not in repr(hidden)
    assert hidden["kind"] == "Secret"


@pytest.mark.parametrize("other", [{"kind": "ConfigMap"}, {"apiVersion": "example.com/v1"}], ids=str)
def test_other_kinds_have_no_secrets(other: Any) -> None:
    seen = {"apiVersion": "v1", "kind": "Secret", "data": {"a": "1"}, **other}
    assert without_secrets(seen, "x") is seen


def test_without_metadata_there_is_no_copy() -> None:
    hidden = without_secrets({"apiVersion": "v1", "kind": "Secret", "metadata": None, "data": {"a": "1"}}, "x")
    assert type(hidden["data"]["a"]) is Unknown


def test_which_paths_lead_to_secret_values() -> None:
    program = render(rgd(EXTERNAL + ALL + config_map("cm")), instance()).expansions[0].program
    for path in (
        "login.data.a",
        'login.data["a.b"]',
        "login.data",
        "login.stringData.x",
        "all[0].data.a",
        "all[12].data",
    ):
        assert is_secret_path(path, program), path
    for path in (
        "login",
        "login.metadata.uid",
        "login.database",
        "cm.data.a",
        "nobody.data.a",
        "all[0]",
        "all",
        "schema.data",
        "all.data",
    ):
        assert is_secret_path(path, program) is (path == "all.data"), path


@pytest.mark.parametrize(
    "condition", ["int(string(own.data.password)) > 0", "{'a': [1]}[dyn(own.data.password)][1] == 1"]
)
def test_in_a_step_of_kro_readiness_sees_a_value_and_does_not_tell_it(condition: str) -> None:
    """Whether it is ready is so said as kro says it."""
    text = rgd(OWN + f'  readyWhen: ["${{{condition}}}"]\n' + config_map("a", '{x: "${own.metadata.name}"}'))
    rendered = render(text, instance()).expansions[0]
    world = World({}, lambda _program, made: (made, []))
    secret = parse_documents(LIVE, "live.yaml")
    live = Observed([document.value for document in secret])
    step = reconcile(rendered.program, rendered.instance, live, world)
    waits = [wait for outcome in step.outcomes.values() for wait in outcome.waits]
    assert step.fault or waits
    said = str(step.fault) + "".join(wait.detail for wait in waits)
    assert CODED not in said
    assert MARKER not in said
    assert step.outcomes["own"].state == "resolved"


# -- the law ----------------------------------------------------------------------------------------------------------

ATOMS = [
    "login", "login.data", "login.data.password", 'login.data["password"]', "login.?data.?password", "all", "all[0].data.password", "own",
    "own.data", "own.data.password", "login.metadata", "login.metadata.annotations", "own.metadata.annotations", "dyn(login)", "dyn(login.data)",
    "all.map(s, s.data)", "all.map(s, s.data.password)[0]",
]  # fmt: skip
FORMS = [
    "string({0})", "size({0})", "json.marshal({0})", "{0} == {1}", "{0} in {1}", "int(string({0}))", "base64.decode(string({0}))", "[{0}, {1}]",
    '{{"a": {0}}}', "{0}.map(k, {1})", "{0}.all(k, k == {1})", "{0}.exists(k, {0}[k] == bytes('hunter' + '2'))", "has({0}.password)", "{0}.orValue({1})",
    "{0}.transformMap(k, v, v)", "{0}.filter(k, {0}[k] != {1})", "dyn({0}) + dyn({1})", "{0}.merge({1})", "string({0}).split('')", "{0}[{1}]",
    "string({0}).matches(string({1}))", "type({0})", "true ? {0} : {1}", "{0}.password", "cel.bind(v, {0}, v)", "duration(string({0}))",
    "quantity(string({0}))", "url(string({0}))", "string({0}).format([{1}])", "'%s'.format([{0}])", "[{0}].sortBy(v, string(v))", "dyn({0}).uid",
]  # fmt: skip
EXPRESSIONS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.tuples(st.sampled_from(FORMS), inner, inner).map(lambda t: t[0].format(*t[1:])),
    max_leaves=4,
)
PLACES = {
    "template": "- id: t\n  template: {{apiVersion: example.com/v1, kind: T, metadata: {{name: t}}, spec: {{x: \"{0}\"}}}}\n",
    "name": "- id: t\n  template: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: \"{0}\"}}}}\n",
    "includeWhen": "- id: t\n  includeWhen: [\"{0}\"]\n  template: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: t}}}}\n",
    "forEach": "- id: t\n  forEach: [{{i: \"{0}\"}}]\n  template: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: \"t-${{string(i)}}\"}}}}\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("secrets")
    (made / "instance.yaml").write_text(instance())
    (made / "observed.yaml").write_text(LIVE)
    return made


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    EXPRESSIONS,
    st.sampled_from(sorted(PLACES)),
    st.sampled_from(["text", "json", "sarif"]),
    st.sampled_from(["withhold", "fallback", "fail", "apply-time"]),
)
def test_no_expression_brings_it_out(folder: Path, expression: str, place: str, form: str, policy: str) -> None:
    hole = "${" + expression.replace('"', '\\"') + "}"
    (folder / "rgd.yaml").write_text(rgd(EXTERNAL + ALL + OWN + PLACES[place].format(hole)))
    words = [
        "render",
        *(str(folder / f"{name}.yaml") for name in ("rgd", "instance")),
        "--observed",
        str(folder / "observed.yaml"),
    ]
    out, err = io.BytesIO(), io.StringIO()
    code = run([*words, "--format", form, "--deferred", policy, "--emit", "instances"], io.BytesIO(b""), out, err, {})
    assert code in (0, 1)
    said = out.getvalue().decode() + err.getvalue()
    assert CODED not in said
    assert MARKER not in said
