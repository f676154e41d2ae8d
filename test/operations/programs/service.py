"""A service that does what requests ask it to, each in its own process and without a shell unless it is asked for one.

GET  /read?path=&then=       reads a file, below /srv if the path does not begin with /, and then connects to IP:PORT
GET  /run?arg=&arg=          runs a program
GET  /shell?command=         runs a command of the shell
GET  /connect?to=IP:PORT     connects
GET  /unix?path=             connects to a socket
GET  /lookup?name=           looks up a name
GET  /sql?statement=         asks MariaDB; several statements, several queries
GET  /redis?command=         asks Redis
PUT  /PATH                   writes the body to a file, which may be run if its name begins with 'run'
POST /login                  lets in whoever knows the password
GET  anything else           a file below /srv/site, or 404
"""

import os
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


def read(path):
    with open(os.path.join("/srv/", path), "rb") as file:
        return file.read()


def connect(family, address):
    with socket.socket(family) as client:
        client.settimeout(1)
        client.connect(address)


def connect_to(text):
    address, port = text.rsplit(":", 1)
    connect(socket.AF_INET, (address, int(port)))


def sql(statements):
    import pymysql

    with pymysql.connect(host="127.0.0.1", port=3306, user="root", database="shop") as database:
        for statement in statements:
            with database.cursor() as cursor:
                try:
                    cursor.execute(statement)
                except pymysql.Error as error:
                    print(error, flush=True)
    return b""


def redis(command):
    words = command.split()
    with socket.create_connection(("127.0.0.1", 6379)) as client:
        parts = "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
        client.sendall(f"*{len(words)}\r\n{parts}".encode())
        return client.recv(4096)


def answer(path, values):
    def value(name):
        return values.get(name, [""])[-1]

    if path == "/read":
        content = read(value("path"))
        if "then" in values:
            connect_to(value("then"))
        return content
    if path == "/run":
        return subprocess.run(values["arg"], capture_output=True, check=False).stdout
    if path == "/shell":
        return subprocess.run(["/bin/sh", "-c", value("command")], capture_output=True, check=False).stdout
    if path == "/connect":
        connect_to(value("to"))
    elif path == "/unix":
        connect(socket.AF_UNIX, value("path"))
    elif path == "/lookup":
        socket.getaddrinfo(value("name"), 80, socket.AF_INET)
    elif path == "/sql":
        return sql(values["statement"])
    elif path == "/redis":
        return redis(value("command"))
    else:
        return read("site" + path)
    return b""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def reply(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def do_GET(self):
        url = urlsplit(self.path)
        try:
            self.reply(200, answer(url.path, parse_qs(url.query)))
        except FileNotFoundError:
            self.reply(404)
        except OSError as error:
            self.reply(500, str(error).encode())

    def do_PUT(self):
        path = urlsplit(self.path).path
        with open(path, "wb") as file:
            file.write(self.body())
        if os.path.basename(path).startswith("run"):
            os.chmod(path, 0o755)
        self.reply(201)

    def do_POST(self):
        self.reply(200 if b"password=right" in self.body() else 401)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Handler)
    server.serve_forever()
