"""Checks events on standard input, one JSON object a line, by version 1.5.0 of the OCSF schema."""

import json
import sys

from jsonschema import Draft202012Validator
from ocsf.v1_5_0.events import ApiActivity
from ocsf_json_schema.embedded import OcsfJsonSchemaEmbedded
from ocsf_json_schema.loader import get_ocsf_schema

schema = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.5.0"))
validator = Draft202012Validator(schema.get_class_schema("api_activity", ["security_control"]))

count = 0
for count, line in enumerate(sys.stdin, 1):
    event = json.loads(line)
    for error in validator.iter_errors(event):
        sys.exit(f"{error.json_path}: {error.message}")
    # Also compares each identifier with its caption.
    ApiActivity.model_validate(event)
print(count, "events are valid")
