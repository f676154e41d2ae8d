"""
A server with a pool of connections to MariaDB, which it opens before it listens, as services do.

    python3 pooled.py PORT DATABASE_PORT_OR_SOCKET CONNECTIONS

With no connection in the pool each request opens one of its own. What is asked carries the request's id backwards: its
bytes prove nothing. Says "listening" when it does.
"""

import queue
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pymysql

port, address, size = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
pool = queue.Queue()


def connect():
    place = {"unix_socket": address} if address.startswith("/") else {"host": "127.0.0.1", "port": int(address)}
    return pymysql.connect(user="ann", **place)


def ask(connection, mark):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", (mark,))
        return cursor.fetchone()[0]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        mark = parse_qs(urlsplit(self.path).query)["id"][0][::-1]
        connection = pool.get() if size > 0 else connect()
        body = ask(connection, mark).encode()
        if size > 0:
            pool.put(connection)
        else:
            connection.close()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


for _ in range(size):
    pool.put(connect())
# As pools do that look whether a connection is still alive.
for _ in range(size):
    connection = pool.get()
    connection.ping()
    pool.put(connection)
server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
print("listening", flush=True)
server.serve_forever()
