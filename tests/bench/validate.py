"""
`python -m tests.bench.validate [--rounds N]`: what judging RGDs costs, as a multiple of `python -c pass`, and beside kubeconform.

An RGD of 20 and of 200 resources (ConfigMaps, Deployments, Services, Ingresses that refer to each other), and 1,000 RGDs of four. Beside
them kubeconform on the objects that the RGD of 20 renders to, if it is on PATH or $KUBECONFORM names it; it gets the same schemas, as files.
Runs are interleaved; the figures are medians of user + system time.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from krm_fn.schema.pack import load
from krm_fn.schema.published import json_schema
from tests.bench.__main__ import measure

KINDS = (("v1", "ConfigMap"), ("v1", "Service"), ("apps/v1", "Deployment"), ("networking.k8s.io/v1", "Ingress"))


def _config(i: int) -> str:
    return f"""\
  - id: config{i}
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: {{name: "${{schema.spec.name}}-c{i}"}}
      data: {{port: "${{string(schema.spec.port)}}", host: "${{schema.spec.name}}.svc"}}
"""


def _deployment(i: int) -> str:
    return f"""\
  - id: deployment{i}
    readyWhen: ["${{deployment{i}.status.availableReplicas == deployment{i}.spec.replicas}}"]
    template:
      apiVersion: apps/v1
      kind: Deployment
      metadata: {{name: "${{schema.spec.name}}-d{i}"}}
      spec:
        replicas: ${{schema.spec.replicas}}
        selector: {{matchLabels: {{app: "${{schema.spec.name}}"}}}}
        template:
          metadata: {{labels: {{app: "${{schema.spec.name}}"}}}}
          spec:
            containers:
            - name: app
              image: ${{schema.spec.image}}
              env: [{{name: CONFIG, value: "${{config{i - 1}.metadata.name}}"}}]
              ports: [{{containerPort: "${{schema.spec.port}}"}}]
"""


def _service(i: int) -> str:
    return f"""\
  - id: service{i}
    template:
      apiVersion: v1
      kind: Service
      metadata: {{name: "${{deployment{i - 1}.metadata.name}}"}}
      spec:
        selector: {{app: "${{schema.spec.name}}"}}
        ports: [{{port: 80, targetPort: "${{schema.spec.port}}"}}]
"""


def _ingress(i: int) -> str:
    backend = f'name: "${{service{i - 1}.metadata.name}}", port: {{number: "${{service{i - 1}.spec.ports[0].port}}"}}'
    return f"""\
  - id: ingress{i}
    includeWhen: ["${{schema.spec.public}}"]
    template:
      apiVersion: networking.k8s.io/v1
      kind: Ingress
      metadata: {{name: "${{service{i - 1}.metadata.name}}"}}
      spec:
        rules:
        - host: ${{schema.spec.name}}.example.com
          http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{{backend}}}}}}}]}}
"""


def rgd(number: int, resources: int) -> str:
    makers = (_config, _deployment, _service, _ingress)
    head = f"""\
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {{name: app{number}}}
spec:
  schema:
    apiVersion: v1alpha1
    kind: App{number}
    spec:
      name: string | required=true
      image: string | default=nginx
      replicas: integer | default=2 minimum=1
      port: integer | default=8080
      public: boolean | default=true
  resources:
"""
    return head + "".join(makers[i % 4](i) for i in range(resources))


INSTANCE = "apiVersion: kro.run/v1alpha1\nkind: App0\nmetadata: {name: shop, namespace: x}\nspec: {name: shop}\n"


def cases(folder: Path) -> dict[str, list[str]]:
    rookery = [sys.executable, "-m", "krm_fn"]
    for name, text in {
        "20": rgd(0, 20),
        "200": rgd(0, 200),
        "many": "---\n".join(rgd(k, 4) for k in range(1000)),
    }.items():
        (folder / f"{name}.yaml").write_text(text)
    (folder / "instance.yaml").write_text(INSTANCE)
    found = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "validate an RGD of 20 resources": [*rookery, "validate", str(folder / "20.yaml")],
        "validate an RGD of 200 resources": [*rookery, "validate", str(folder / "200.yaml")],
        "validate 1,000 RGDs of 4 resources": [*rookery, "validate", str(folder / "many.yaml")],
    }
    kubeconform = os.environ.get("KUBECONFORM") or shutil.which("kubeconform")
    if kubeconform:
        schemas = folder / "schemas"
        schemas.mkdir()
        pack = load(35)
        for version, kind in KINDS:
            schema = pack.schema(version, kind)
            assert schema is not None
            (schemas / f"{kind.lower()}.json").write_text(json.dumps(json_schema(schema)))
        command = [*rookery, "render", str(folder / "20.yaml"), str(folder / "instance.yaml"), "--deferred", "fallback"]
        objects = folder / "objects.yaml"
        objects.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
        template = str(schemas / "{{.ResourceKind}}.json")
        found["kubeconform, the 20 objects"] = [kubeconform, "-strict", "-schema-location", template, str(objects)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.validate")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as temporary:
        table = cases(Path(temporary))
        samples: dict[str, list[tuple[float, float]]] = {label: [] for label in table}
        for _ in range(rounds):
            for label, command in table.items():
                samples[label].append(measure(command, None))
    base = statistics.median(cpu for cpu, _ in samples["python -c pass"])
    print(f"{'':44}{'CPU ms':>9}{'x pass':>9}{'MiB':>7}")
    for label, values in samples.items():
        cpu = statistics.median(value for value, _ in values)
        print(f"{label:44}{cpu:9.1f}{cpu / base:9.2f}{max(m for _, m in values):7.0f}")
    print(f"\n{rounds} rounds, interleaved; load {os.getloadavg()[0]:.1f}")
    if "kubeconform, the 20 objects" not in table:
        print("kubeconform is not on PATH: its row is left out")


if __name__ == "__main__":
    main()
