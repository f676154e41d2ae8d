"""http.server on threads or on processes, with keep-alive. See README.md for the paths.

Usage: python-http.py threading|forking PORT
"""

import os
import socket
import socketserver
import ssl
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

WORK_DIR = os.environ["WORK_DIR"]
SINK_PORT = int(os.environ["SINK_PORT"])


def run(args):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout


def read(name):
    with open(os.path.join(WORK_DIR, name), "rb") as file:
        return file.read()


def work(parameters, is_shell):
    given = parameters.get("id", "")
    mark = given[::-1] if parameters.get("carry") == "reversed" else given
    with socket.create_connection(("127.0.0.1", int(parameters.get("port", SINK_PORT)))):
        pass
    run(["/bin/sh", "-c", f"/bin/echo {mark}; true"] if is_shell else ["/bin/echo", mark])
    with open(os.path.join(WORK_DIR, mark + ".txt"), "w", encoding="utf-8") as file:
        file.write(mark)
    read(mark + ".txt")
    return f"done {given}\n".encode()


def answer(path, parameters):
    name = parameters.get("name", "")
    if path == "/":
        return 200, b"ready\n"
    if path in ("/work", "/shell"):
        return 200, work(parameters, path == "/shell")
    if path == "/run":
        return 200, run(["/bin/sh", "-c", "/bin/echo checking " + parameters.get("cmd", "")])
    if path == "/saferun":
        return 200, run(["/bin/echo", "checking", parameters.get("arg", "")])
    if path == "/saferead" and ("/" in name or name.startswith(".")):
        return 403, b"refused\n"
    if path in ("/read", "/saferead"):
        return 200, read(name)
    if path == "/big":
        return 200, b"x" * (200 * 1024)
    return 404, b"not found\n"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keep-alive
    wbufsize = -1  # one write per reply
    disable_nagle_algorithm = True

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        url = urlsplit(self.path)
        parameters = {name: values[-1] for name, values in parse_qs(url.query).items()}
        try:
            self.reply(*answer(url.path, parameters))
        except OSError as error:
            self.reply(500, f"{error}\n".encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path == "/echo":
            self.reply(200, body)
        else:
            self.reply(404, b"not found\n")

    def log_message(self, format, *args):
        pass


class ThreadingServer(ThreadingHTTPServer):
    request_queue_size = 512


class ForkingServer(socketserver.ForkingMixIn, HTTPServer):
    request_queue_size = 512
    max_children = 512


SERVERS = {"threading": ThreadingServer, "forking": ForkingServer}
server = SERVERS[sys.argv[1]](("127.0.0.1", int(sys.argv[2])), Handler)
if "TLS_CERTIFICATE" in os.environ:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.environ["TLS_CERTIFICATE"], os.environ["TLS_KEY"])
    # The handshake is the worker's, at its first read: the accepting thread must not wait for a client.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
