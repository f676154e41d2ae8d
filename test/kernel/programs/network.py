"""Connections of every kind, each made and accepted in this one process. Prints what it knows of them as JSON."""

import json
import os
import socket
import sys

directory = sys.argv[1]
facts = {}


def exchange(name, family, address):
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.bind(address)
    listener.listen(5)
    client = socket.socket(family, socket.SOCK_STREAM)
    client.connect(listener.getsockname())
    server, _ = listener.accept()
    client.sendall(b"GET / HTTP/1.1\r\n\r\n")
    server.recv(100)
    server.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    client.recv(100)
    if family != socket.AF_UNIX:
        facts[name] = {"server": listener.getsockname()[1], "client": client.getsockname()[1]}
    client.close()
    assert server.recv(1) == b""
    server.close()
    listener.close()


exchange("ipv4", socket.AF_INET, ("127.0.0.1", 0))
exchange("ipv6", socket.AF_INET6, ("::1", 0))
exchange("path", socket.AF_UNIX, os.path.join(directory, "listener"))
exchange("abstract", socket.AF_UNIX, b"\0throughline-test-%d" % os.getpid())

refused = socket.socket()
refused.bind(("127.0.0.1", 0))
port = refused.getsockname()[1]
client = socket.socket()
try:
    client.connect(("127.0.0.1", port))
except ConnectionRefusedError:
    facts["refused"] = port

listener = socket.create_server(("127.0.0.1", 0))
client = socket.socket()
client.setblocking(False)
facts["pending"] = {"errno": client.connect_ex(listener.getsockname()), "port": listener.getsockname()[1]}

datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagram.connect(("127.0.0.1", 9))

try:
    socket.socket(socket.AF_UNIX).connect(os.path.join(directory, "nobody"))
except FileNotFoundError:
    facts["missing"] = os.path.join(directory, "nobody")

print(json.dumps(facts))
