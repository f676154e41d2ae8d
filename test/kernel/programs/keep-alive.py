"""Accepts one connection and answers what comes on it, one request for each line of stdin."""

import socket
import sys

listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
print(listener.getsockname()[1], flush=True)
for line in sys.stdin:
    client.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % line.strip().encode())
    server.recv(1000)
    open("/dev/null", "rb").close()
    server.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    client.recv(1000)
    print("done", flush=True)
