"""`rookery health`: readyWhen as health checks of Argo CD, printed or merged into an argocd-cm that stays a person's file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from krm_fn.command import EXIT_OK, EXIT_REFUSED, EXIT_USAGE
from krm_fn.emit.lua.built_in import judged_by_argo_cd
from tests.command.test_render import rookery

Golden = Callable[[bytes, Path], None]
GOLDENS = Path(__file__).parent / "test_health"
KEY = "resource.customizations.health.db.example.com_Database"


def rgd(
    *conditions: str,
    kind: str = "App",
    node: str = "database",
    group: str = "db.example.com/v1",
    made: str = "Database",
) -> str:
    lines = "".join(f"        - ${{{condition}}}\n" for condition in conditions)
    return f"""\
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata:
  name: {kind.lower()}
spec:
  schema:
    apiVersion: v1alpha1
    kind: {kind}
  resources:
    - id: {node}
      readyWhen:
{lines}      template:
        apiVersion: {group}
        kind: {made}
        metadata:
          name: ${{schema.metadata.name}}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def health(place: Path, *texts: str, words: tuple[str, ...] = ()) -> tuple[int, str, str]:
    for i, text in enumerate(texts):
        (place / f"rgd-{i}.yaml").write_text(text)
    return rookery("health", *(f"rgd-{i}.yaml" for i in range(len(texts))), "--format", "argocd", *words)


def entries(out: str) -> dict[str, str]:
    document: Any = yaml.safe_load(out)
    assert (document["kind"], document["metadata"]["name"]) == ("ConfigMap", "argocd-cm")
    found: dict[str, str] = document["data"]
    return found


TEXT = rgd("database.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')")


def test_the_text_of_a_check(place: Path, golden: Golden) -> None:
    code, out, err = health(
        place,
        rgd(
            'database.status.conditions.exists(c, c.type == "Ready" && c.status == "True")',
            "!has(database.status.error) || size(database.status.error) == 0",
            "database.status.?replicas.orValue(0) >= database.spec.replicas",
            "1 == 2",
        ),
        rgd(
            "end.status.host.startsWith('db-') ? end.status.port in [1, 2] :end.status.port != 3",
            kind="Shop",
            node="end",
        ),
    )
    assert code == EXIT_OK, err
    [text] = entries(out).values()
    golden(text.encode(), GOLDENS / "check.lua")


def test_a_core_kind_has_no_group_and_a_kind_has_one_entry(place: Path) -> None:
    code, out, _ = health(
        place,
        TEXT,
        rgd("config.data.ready == 'yes'", kind="Shop", node="config", group="v1", made="ConfigMap"),
        rgd("cache.status.up", kind="Store", node="cache"),
    )
    assert code == EXIT_OK
    assert list(entries(out)) == ["resource.customizations.health.ConfigMap", KEY]
    assert "For: kro.run/App kro.run/Store\n" in entries(out)[KEY]


def test_the_order_of_the_input_does_not_matter(place: Path) -> None:
    other = rgd("cache.status.up", kind="Store", node="cache")
    assert health(place, TEXT, other)[1] == health(place, other, TEXT)[1]


def test_an_rgd_without_ready_when_has_no_check(place: Path) -> None:
    code, out, _ = health(place, rgd().replace("      readyWhen:\n", ""))
    assert (code, entries(out)) == (EXIT_OK, {})


def test_instances_have_a_check_if_they_are_rendered(place: Path) -> None:
    nested = rgd("app.status.state == 'ACTIVE'", kind="Store", node="app", group="kro.run/v1alpha1", made="App")
    instances = "resource.customizations.health.kro.run_App", "resource.customizations.health.kro.run_Store"
    found = entries(health(place, TEXT, nested, words=("--emit", "instances"))[1])
    assert list(found) == [KEY, *instances]
    assert "For: kro.run/App kro.run/Store\n" in found[instances[0]]
    assert list(entries(health(place, TEXT, nested)[1])) == [KEY, instances[0]]


def test_a_kind_that_argo_cd_judges_is_left_to_it(place: Path) -> None:
    code, out, err = health(place, rgd("web.status.phase == 'x'", node="web", group="v1", made="Pod"))
    assert (code, entries(out)) == (EXIT_OK, {})
    assert "warning[check-built-in]: readyWhen of 'web' is no health check: Argo CD judges Pod itself" in err


@pytest.mark.parametrize(
    ("group", "kind", "is_judged"),
    [
        ("apps", "Deployment", True),
        ("", "Service", True),
        ("", "Deployment", False),
        ("", "ConfigMap", False),
        ("cert-manager.io", "Certificate", True),
        ("s3.aws.upbound.io", "Bucket", True),
        ("upbound.io", "Bucket", False),
        ("apiextensions.crossplane.io", "Composition", True),
        ("argoproj.io", "Workflow", True),
        ("argoproj.io", "Application", False),
        ("kro.run", "App", False),
    ],
)
def test_the_kinds_that_argo_cd_judges(group: str, kind: str, is_judged: bool) -> None:
    assert judged_by_argo_cd(group, kind) is is_judged


@pytest.mark.parametrize(
    ("condition", "what"),
    [
        ("database.status.url.matches('^https')", "matches()"),
        ("timestamp(database.status.at) > timestamp('2020-01-01T00:00:00Z')", "timestamp()"),
        ("database.status.error == null", "a comparison with null"),
        ("database.status.list == []", "a comparison with an empty list or map"),
        ("database.status.share * 2.0 > 1.0", "arithmetic with doubles"),
        ("(database.status.a + database.status.b) / database.status.c > 1", "arithmetic on what may be a double"),
        ("database.status.map.all(k, v, v == 1)", "all() with two variables"),
        ("database.status.n == 9007199254740993", "9007199254740993"),
        ("quantity(database.status.size).isGreaterThan(quantity('1Gi'))", "isGreaterThan()"),
        ("database.status.?a == database.status.?b", "`==` of optionals"),
    ],
)
def test_what_lua_cannot_carry_is_named(place: Path, condition: str, what: str) -> None:
    code, out, err = health(place, rgd(condition, "database.status.up"))
    assert code == EXIT_OK
    assert (
        f"warning[check-not-carried]: readyWhen of 'database' is no health check: Argo CD's Lua cannot carry {what}\n"
        in err
    )
    assert "database.status.up" in entries(out)[KEY]
    assert health(place, rgd(condition), words=("--strict",))[:2] == (EXIT_REFUSED, "")


def test_a_field_that_may_be_null_is_read_where_null_is_as_good_as_absent(place: Path) -> None:
    (place / "crd.yaml").write_text("""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: databases.db.example.com}
spec:
  group: db.example.com
  scope: Namespaced
  names: {kind: Database, plural: databases}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            status:
              type: object
              properties:
                observedGeneration: {type: integer}
                error: {type: string, nullable: true}
""")
    for condition, is_carried in (
        ("has(database.status.error)", False),
        ("database.status.error != 'x'", False),
        ("!(database.status.error == 'x')", False),
        ("database.status.?error.hasValue()", False),
        ("database.status.error == 'x'", True),
        ("database.status.error.size() > 0", True),
        ("database.status.error > 'a' || database.status.error.startsWith('x')", True),
    ):
        code, out, err = health(place, rgd(condition), words=("--crds", "crd.yaml"))
        assert code == EXIT_OK, err
        assert ("a field that may be null" not in err) is is_carried, condition
        assert (KEY in entries(out)) is is_carried
        assert "has not looked at it yet" in out or not is_carried, "its kind has an observedGeneration"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["health"], "health needs a PATH"),
        (["health", "x"], "health needs --format argocd"),
        (["health", "x", "--format", "flux"], "--format is one of argocd, not 'flux'"),
        (["health", "x", "--format", "argocd", "--emit", "api"], "--emit is one of instances, not 'api'"),
        (["health", "x", "--format", "argocd", "--merge", "-"], "--merge needs a file"),
    ],
)
def test_usage(words: list[str], said: str) -> None:
    code, out, err = rookery(*words)
    assert (code, out) == (EXIT_USAGE, "")
    assert said in err


def test_what_is_wrong_with_an_rgd_is_said(place: Path) -> None:
    code, out, err = health(place, rgd("schema.spec.x == 1"))
    assert (code, out) == (EXIT_REFUSED, "")
    assert "error[reference-not-allowed]" in err
    assert health(place, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")[0] == EXIT_REFUSED
