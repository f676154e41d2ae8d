"""A Python server, a thread for each connection, that looks up a name before it opens a file and answers.

    python3 resolves.py PORT DIRECTORY

?id=ID&how=HOW: HOW is "getaddrinfo", "child" (a program that looks up), or one of the ways in which a question can pass
through the kernel, see WAYS. The name and the file carry the id backwards: their bytes prove nothing.
"""

import ctypes
import os
import socket
import struct
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PORT, DIRECTORY = int(sys.argv[1]), sys.argv[2]
RESOLVER = ("127.0.0.1", 53)
LIBC = ctypes.CDLL(None, use_errno=True)


def question(name, number=7):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)


def udp(connected):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.settimeout(5)
    if connected:
        one.connect(RESOLVER)
    return one


def with_send(message):
    with udp(True) as one:
        one.send(message)
        return one.recv(2048)


def with_sendto(message):
    with udp(False) as one:
        one.sendto(message, RESOLVER)
        return one.recvfrom(2048)[0]


def with_write(message):
    with udp(True) as one:
        one.setblocking(True)
        os.write(one.fileno(), message)
        return os.read(one.fileno(), 2048)


def with_writev(message):
    with udp(True) as one:
        one.setblocking(True)
        os.writev(one.fileno(), [message[:5], message[5:20], message[20:]])
        head, rest = bytearray(10), bytearray(2048)
        size = os.readv(one.fileno(), [head, rest])
        return bytes(head + rest)[:size]


def with_sendmsg(message):
    with udp(False) as one:
        one.sendmsg([message[:3], message[3:]], [], 0, RESOLVER)
        return one.recvmsg(2048)[0]


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Message(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint),
        ("vectors", ctypes.POINTER(Vector)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("padding", ctypes.c_int),
        ("length", ctypes.c_uint),
    ]


def with_sendmmsg(message):
    """Three questions in one call; the answers are read with recvmmsg."""
    texts = [struct.pack(">H", number) + message[2:] for number in (7, 8, 9)]
    buffers = [ctypes.create_string_buffer(text, 2048) for text in texts]
    vectors = [Vector(ctypes.cast(buffer, ctypes.c_void_p), len(texts[0])) for buffer in buffers]
    messages = (Message * 3)()
    for one, vector in zip(messages, vectors):
        one.vectors, one.vector_count = ctypes.pointer(vector), 1
    with udp(True) as sock:
        sock.setblocking(True)
        assert LIBC.sendmmsg(sock.fileno(), messages, 3, 0) == 3, ctypes.get_errno()
        for vector in vectors:
            vector.length = 2048
        read = 0
        while read < 3:
            count = LIBC.recvmmsg(sock.fileno(), messages, 3, 0x10000, None)  # MSG_WAITFORONE
            assert count > 0, ctypes.get_errno()
            read += count
        return buffers[0].raw[: messages[0].length]


WAYS = {
    "send": with_send,
    "sendto": with_sendto,
    "write": with_write,
    "writev": with_writev,
    "sendmsg": with_sendmsg,
    "sendmmsg": with_sendmmsg,
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        mark = query.get("id", "none")[::-1]
        name, how = f"{mark}.test", query.get("how")
        if how == "getaddrinfo":
            text = socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)[0][4][0]
        elif how == "child":
            text = subprocess.run(["getent", "ahosts", name], capture_output=True, text=True).stdout.split(" ")[0]
        else:
            text = ".".join(map(str, WAYS[how](question(name))[-4:]))
        open(os.path.join(DIRECTORY, mark), "w").close()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *arguments):
        pass


ThreadingHTTPServer.request_queue_size = 512
ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
