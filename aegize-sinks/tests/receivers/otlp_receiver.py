"""Takes OpenTelemetry logs over gRPC, until standard input ends.

Argument: a directory with certificates. Prints the port, and at the end, in JSON, the requests.
"""

import json
import pathlib
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as service

tls = pathlib.Path(sys.argv[1])
requests = []


class Receiver(service.LogsServiceServicer):
    def Export(self, request, context):
        requests.append(MessageToDict(request))
        return logs.ExportLogsServiceResponse()


server = grpc.server(ThreadPoolExecutor())
service.add_LogsServiceServicer_to_server(Receiver(), server)
pair = ((tls / "server.key").read_bytes(), (tls / "server.pem").read_bytes())
port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
server.start()
print(port, flush=True)
sys.stdin.read()
server.stop(None)
print(json.dumps(requests))
