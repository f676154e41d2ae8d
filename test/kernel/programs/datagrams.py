"""Datagrams of every kind, raw sockets, and TCP connections that end in several ways. Prints what it knows of them as JSON."""

import json
import os
import socket
import sys

directory = sys.argv[1]
facts = {"pid": os.getpid()}


def udp(family, address):
    there = socket.socket(family, socket.SOCK_DGRAM)
    there.bind((address, 0))
    here = socket.socket(family, socket.SOCK_DGRAM)
    here.bind((address, 0))
    for _ in range(3):
        here.sendto(b"to the same", there.getsockname()[:2])
        there.recvfrom(100)
    here.sendmsg([b"to somebody else"], [], 0, (address, 9))
    return {"here": here.getsockname()[1], "there": there.getsockname()[1]}


facts["ipv4"] = udp(socket.AF_INET, "127.0.0.1")
facts["ipv6"] = udp(socket.AF_INET6, "::1")

there = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
there.bind(os.path.join(directory, "there"))
here = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
here.bind(os.path.join(directory, "here"))
here.sendto(b"x", os.path.join(directory, "there"))
there.recvfrom(10)

connected = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
connected.connect(("127.0.0.1", 9))
connected.send(b"no address")

raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
raw.sendto(b"\x08\x00\xf7\xff\x00\x00\x00\x00", ("127.0.0.1", 0))
packet = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)

listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client.sendall(b"a" * 1000)
received = 0
while received < 1000:
    received += len(server.recv(1000))
server.sendall(b"b" * 5000)
received = 0
while received < 5000:
    received += len(client.recv(5000))
facts["tcp"] = {"client": client.getsockname()[1], "server": listener.getsockname()[1]}
client.close()
server.recv(1)
server.close()

refused = socket.socket()
refused.bind(("127.0.0.1", 0))
facts["refused"] = refused.getsockname()[1]
try:
    socket.create_connection(("127.0.0.1", facts["refused"]))
except ConnectionRefusedError:
    pass

print(json.dumps(facts))
