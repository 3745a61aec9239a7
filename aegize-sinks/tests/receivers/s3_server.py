"""An S3 server with the bucket `log`, until standard input ends.

Argument: a directory with certificates. Prints the port, and at the end, in JSON, the keys and
bodies of all objects.
"""

import json
import logging
import pathlib
import sys
import threading

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

logging.getLogger("werkzeug").setLevel(logging.ERROR)
tls = pathlib.Path(sys.argv[1])
server = make_server(
    "127.0.0.1",
    0,
    DomainDispatcherApplication(create_backend_app),
    threaded=True,
    ssl_context=(str(tls / "server.pem"), str(tls / "server.key")),
)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = boto3.client(
    "s3",
    endpoint_url=f"https://127.0.0.1:{server.server_port}",
    region_name="us-east-1",
    aws_access_key_id="reader",
    aws_secret_access_key="reader",
    verify=str(tls / "authority.pem"),
)
client.create_bucket(Bucket="log")
print(server.server_port, flush=True)
sys.stdin.read()
objects = client.list_objects_v2(Bucket="log").get("Contents", [])
bodies = (client.get_object(Bucket="log", Key=item["Key"])["Body"].read() for item in objects)
print(json.dumps({item["Key"]: body.decode() for item, body in zip(objects, bodies)}))
