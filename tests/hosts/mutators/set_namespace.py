"""A mutator as users have them: every object that will be applied gets one namespace. Annotations stay, comments do not."""

import sys

import yaml

listed = yaml.safe_load(sys.stdin)
for item in listed["items"]:
    if item["metadata"].get("annotations", {}).get("config.kubernetes.io/local-config") != "true":
        item["metadata"]["namespace"] = sys.argv[1]
yaml.safe_dump(listed, sys.stdout, sort_keys=False)
