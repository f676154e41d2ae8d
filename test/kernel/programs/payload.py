"""One connection, many exchanges: each reads or writes by another system call. Single-threaded: loopback buffers."""

import os
import socket
import sys

path = os.path.join(sys.argv[1], "sent-by-sendfile")
with open(path, "wb") as file:
    file.write(b"S" * 3000)

listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()


def ask(message):
    client.sendall(message)


def read_all(length):
    while length > 0:
        length -= len(client.recv(length))


def answer(*parts):
    for part in parts:
        server.sendall(part)
    read_all(sum(map(len, parts)))


# 1: a long message in one piece, answered by one long write
ask(b"POST /long HTTP/1.1\r\nContent-Length: 19949\r\n\r\n" + b"L" * 19949)
received = b""
while len(received) < 19995:
    received += server.recv(19995 - len(received), socket.MSG_WAITALL)
answer(b"HTTP/1.1 200 OK\r\nContent-Length: 4959\r\n\r\n" + b"R" * 4959)

# 2: a message in pieces, read by read(2); answered by writev of many vectors, as clients do that pipeline
for piece in (b"GET /pieces", b"?a=1 HTTP/1.1\r\n", b"Host: h\r\n\r\n"):
    ask(piece)
    os.read(server.fileno(), 1000)
parts = [b"HTTP/1.1 200 OK\r\n", b"", b"Content-Length: 100\r\n\r\n", *[b"v"] * 100]
os.writev(server.fileno(), parts)
read_all(sum(map(len, parts)))

# 3: read by readv into three buffers, answered by sendmsg
message = b"GET /vectors HTTP/1.1\r\n\r\n"
ask(message)
os.readv(server.fileno(), [bytearray(4), bytearray(7), bytearray(1000)])
parts = [b"HTTP/1.1 204 ", b"No Content\r\n\r\n"]
server.sendmsg(parts)
read_all(sum(map(len, parts)))

# 4: read by recvmsg, peeked at before; answered by a head and sendfile
ask(b"GET /message HTTP/1.1\r\n\r\n")
server.recv(10, socket.MSG_PEEK)
server.recvmsg_into([bytearray(6), bytearray(1000)])
head = b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n"
server.sendall(head)
with open(path, "rb") as file:
    os.sendfile(server.fileno(), file.fileno(), 0, 3000)
read_all(len(head) + 3000)

# 5: a reply in many writes
ask(b"GET /many HTTP/1.1\r\n\r\n")
server.recv(1000)
answer(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n", *[b"M" * 40] * 100)

# 6: a reply of many parts of a file
ask(b"GET /file HTTP/1.1\r\n\r\n")
server.recv(1000)
answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
with open(path, "rb") as file:
    for _ in range(100):
        os.sendfile(server.fileno(), file.fileno(), 0, 1000)
        read_all(1000)

server.close()
client.close()
