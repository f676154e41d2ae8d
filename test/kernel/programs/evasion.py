"""A vulnerable server with a thread for each connection: /ping and /poll run a shell, /poll after waiting with poll."""
import http.server
import select
import socket
import subprocess
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        host = urllib.parse.parse_qs(url.query).get("host", [""])[0]
        if url.path == "/poll":
            idle, _ = socket.socketpair()
            poll = select.poll()
            poll.register(idle, select.POLLIN)
            poll.poll(300)
        body = subprocess.run("echo " + host, shell=True, capture_output=True).stdout if host else b"ok"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
