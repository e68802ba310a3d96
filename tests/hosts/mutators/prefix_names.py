"""A mutator that renames: names that do not begin with the prefix get it."""

import sys

import yaml

listed = yaml.safe_load(sys.stdin)
for item in listed["items"]:
    metadata = item["metadata"]
    is_local = metadata.get("annotations", {}).get("config.kubernetes.io/local-config") == "true"
    if not is_local and not metadata["name"].startswith(sys.argv[1]):
        metadata["name"] = sys.argv[1] + metadata["name"]
yaml.safe_dump(listed, sys.stdout, sort_keys=False)
