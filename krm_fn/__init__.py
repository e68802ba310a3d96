"""Rookery: kro ResourceGraphDefinitions rendered to plain Kubernetes manifests. Start reading at `pipeline`."""

__version__ = "0.1.0"
