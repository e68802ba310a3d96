"""A mutator that runs before: it changes what an instance asks for."""

import sys

import yaml

listed = yaml.safe_load(sys.stdin)
for item in listed["items"]:
    if item["kind"] == "WebApplication":
        item["spec"]["replicas"] = int(sys.argv[1])
yaml.safe_dump(listed, sys.stdout, sort_keys=False)
