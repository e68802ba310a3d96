"""
`rookery fn`: the KRM function, a ResourceList on stdin and one on stdout.

Where the run fails, the list is printed all the same, with the items that came in and with `results`: kpt shows those and writes
nothing. Whatever is wrong stands on stderr as well, since kustomize and Argo CD show nothing else.
"""

from __future__ import annotations

from krm_fn.command import EXIT_OK, EXIT_REFUSED, UsageError
from krm_fn.function import run_function
from krm_fn.read.resource_list import read_resource_list
from krm_fn.read.sources import STDIN_NAME, decode
from krm_fn.report.diagnostic import ERROR, INFO, RenderError
from krm_fn.report.krm import lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import BinaryIO, TextIO

USAGE = """\
usage: rookery fn < RESOURCELIST

A KRM function: reads a ResourceList (config.kubernetes.io/v1) on stdin and prints it with the objects that the kro instances
among its items render to. Run it in the pipeline of a kpt package:

  pipeline:
    mutators:
      - exec: rookery fn

or once: kpt fn eval DIR --exec 'rookery fn'; or as a generator, transformer or validator of kustomize, whose config says so:

  metadata:
    annotations:
      config.kubernetes.io/function: 'exec: {path: rookery, args: [fn]}'

functionConfig: a v1 ConfigMap with data, or RenderConfig of fn.rookery.dev/v1alpha1 with spec
  namespace   namespace of instances that have none (default: $ARGOCD_APP_NAMESPACE, then "default")
  deferred    what becomes of objects that need values of a cluster: withhold (default), fallback, fail
  target      what applies the objects: kpt (depends-on; default under kpt), plain (default under kustomize)
  waves       what waits for what: gated: as kro waits (default), every-edge: at each dependency
  emit        instances: also the instances themselves, after their children, suspended for kro
  kroLabels   kro's own labels as well
  strict      warnings are errors
  kubeVersion Kubernetes to render for, such as "1.35" (default: the newest that is known)
  validator   only check; echo: pass all items on, kustomize: print none, for validators of kustomize
and, for kustomize alone, whose generators see no items
  paths       files and folders with RGDs and instances, relative to the kustomization
  resources   RGDs and instances themselves
  observed    files with objects of the cluster
  crds        files with CustomResourceDefinitions of kinds that the sources do not define
  allowEmpty  a build without any object is right

Objects of the cluster are items with the annotation rookery.dev/observed: "true".

exit code: 0 rendered (withheld objects are reported in results and on stderr), 1 refused, 2 usage
"""


def fn(words: Sequence[str], stdin: BinaryIO, stdout: BinaryIO, stderr: TextIO, environment: Mapping[str, str]) -> int:
    """Read a ResourceList, render, print it; see USAGE."""
    if any(word in ("-h", "--help") for word in words):
        stdout.write(USAGE.encode())
        return EXIT_OK
    if words:
        raise UsageError(f"fn takes no arguments; {words[0]!r} belongs into functionConfig, if anywhere")
    if stdin.isatty():
        raise UsageError("fn reads a ResourceList from stdin; kpt runs it, or `kpt fn source DIR | rookery fn`")
    try:
        given = read_resource_list(decode(stdin.read(), STDIN_NAME), STDIN_NAME)
    except RenderError as error:
        stderr.write(lines(error.diagnostics))
        return EXIT_REFUSED
    answer = run_function(given, environment)
    stderr.write(lines([d for d in answer.diagnostics if d.severity != INFO], with_lines=answer.has_lines))
    stdout.write(answer.text.encode())
    stdout.flush()
    return EXIT_REFUSED if any(d.severity == ERROR for d in answer.diagnostics) else EXIT_OK
