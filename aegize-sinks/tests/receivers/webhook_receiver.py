"""Takes batches that a library of Standard Webhooks verifies, until standard input ends.

Arguments: a directory with certificates, and the secret. Prints the port, and at the end, in JSON,
the ids and bodies of what it took.
"""

import json
import pathlib
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

tls, secret = pathlib.Path(sys.argv[1]), sys.argv[2]
taken = []


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            Webhook(secret).verify(body, dict(self.headers), json_parse=False)
            taken.append([self.headers["webhook-id"], body.decode()])
            self.send_response(204)
        except WebhookVerificationError:
            self.send_response(400)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(tls / "server.pem", tls / "server.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
print(json.dumps(taken))
