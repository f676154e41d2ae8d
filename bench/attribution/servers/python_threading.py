"""http.server: one thread for each connection."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from python_work import work


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keep-alive
    wbufsize = -1  # one write per reply
    disable_nagle_algorithm = True

    def do_GET(self):
        path, _, query = self.path.partition("?")
        body = work(query) if path == "/work" else b"ready\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 512


Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
