"""
The real kube-controller-manager against an API server of `api_server()`: Jobs make Pods and have conditions, what an owner leaves
behind goes, and deletion in the foreground ends.

No other controller runs: Deployments stay as they are, and a Namespace never finishes deleting.  Nobody runs the Pods; see kubelet.py.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.hosts.api_server import ApiServer
from tests.hosts.programs import tool

_CONTROLLERS = ("job-controller", "garbage-collector-controller")


@contextmanager
def controllers(server: ApiServer) -> Iterator[subprocess.Popen[bytes]]:
    """
    The process, for the time of a `with`. Where the program is missing the test is skipped.

    The garbage collector looks for new kinds each 30 s, so CRDs come before it: of a kind that it does not know yet, nothing can be
    deleted in the foreground.
    """
    words = (
        tool("kube-controller-manager"),
        f"--kubeconfig={server.kubeconfig}", f"--controllers={','.join(_CONTROLLERS)}", "--leader-elect=false",
        "--secure-port=0", "--kube-api-qps=200", "--kube-api-burst=400",
    )  # fmt: skip
    with (server.folder / "log").open("ab") as log:
        process = subprocess.Popen(words, cwd=server.folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.kill()
            process.wait()
