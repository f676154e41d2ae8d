"""Opens files, connects and accepts without the system calls for it: through io_uring, 32-bit calls (x86-64), and by file handles.

Prints what it knows of it as JSON. Arguments: a folder on a file system with file handles, say tmpfs.
"""

import ctypes
import json
import mmap
import os
import platform
import socket
import struct
import sys
import time

SYS_IO_URING_SETUP = 425
SYS_IO_URING_ENTER = 426
IORING_ENTER_GETEVENTS = 1
IORING_OFF_SQES = 0x10000000
IORING_OP_TIMEOUT = 11
IORING_OP_ACCEPT = 13
IORING_OP_CONNECT = 16
IORING_OP_OPENAT = 18
IOSQE_IO_HARDLINK = 8
IOSQE_ASYNC = 16
AT_FDCWD = -100
MAP_32BIT = 0x40
WRITE = os.O_CREAT | os.O_WRONLY

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def call(number, *arguments):
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(one) if isinstance(one, int) else one for one in arguments])
    if result < 0:
        sys.exit(f"system call {number}: {os.strerror(ctypes.get_errno())}")
    return result


class Ring:
    """An io_uring on which one thing is done after the other (struct io_uring_params in include/uapi/linux/io_uring.h)."""

    def __init__(self):
        params = ctypes.create_string_buffer(120)
        self.fd = call(SYS_IO_URING_SETUP, 4, params)
        numbers = struct.unpack("<30I", params.raw)
        self.sq_tail, self.sq_mask, self.sq_array = numbers[11], numbers[12], numbers[16]
        self.cq_head, self.cq_tail, self.cq_mask, self.cqes = numbers[20], numbers[21], numbers[22], numbers[25]
        size = max(self.sq_array + numbers[0] * 4, self.cqes + numbers[1] * 16)
        self.ring = mmap.mmap(self.fd, size)
        self.sqes = mmap.mmap(self.fd, numbers[0] * 64, offset=IORING_OFF_SQES)

    def number_at(self, offset):
        return struct.unpack_from("<I", self.ring, offset)[0]

    def prepare(self, opcode, fd, address, offset=0, length=0, flags=0, how=0):
        tail = self.number_at(self.sq_tail)
        index = tail & self.number_at(self.sq_mask)
        entry = struct.pack("<BBHiQQIIQ24x", opcode, how, 0, fd, offset, address, length, flags, 0)
        self.sqes[index * 64 : index * 64 + 64] = entry
        struct.pack_into("<I", self.ring, self.sq_array + index * 4, index)
        struct.pack_into("<I", self.ring, self.sq_tail, tail + 1)

    def submit(self, *arguments, **more):
        self.prepare(*arguments, **more)
        call(SYS_IO_URING_ENTER, self.fd, 1, 0, 0, 0, 0)

    def result(self):
        call(SYS_IO_URING_ENTER, self.fd, 0, 1, IORING_ENTER_GETEVENTS, 0, 0)
        head = self.number_at(self.cq_head)
        at = self.cqes + (head & self.number_at(self.cq_mask)) * 16
        struct.pack_into("<I", self.ring, self.cq_head, head + 1)
        return struct.unpack_from("<i", self.ring, at + 8)[0]

    def do(self, *arguments, **more):
        self.submit(*arguments, **more)
        return self.result()


def address_of(port):
    return struct.pack("<H", socket.AF_INET) + struct.pack(">H4s8x", port, socket.inet_aton("127.0.0.1"))


def port_of(sock):
    return sock.getsockname()[1]


def refusing_port():
    """Bound, and nobody listens."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    kept.append(sock)
    return port_of(sock)


kept = []
os.chdir(sys.argv[1])
with open("readable", "w", encoding="utf-8"):
    pass

ring = Ring()
for path, flags, how in (
    (b"by-ring", WRITE, 0),
    (b"by-worker", WRITE, IOSQE_ASYNC),
    (b"missing/by-ring", WRITE, 0),
    (b"missing/by-worker", WRITE, IOSQE_ASYNC),
    (b"readable", os.O_RDONLY, 0),
):
    text = ctypes.create_string_buffer(path)
    ring.do(IORING_OP_OPENAT, AT_FDCWD, ctypes.addressof(text), length=0o600, flags=flags, how=how)

# A chain, of which the second request begins when the first one's time is over: while this thread sleeps.
chain = Ring()
soon = ctypes.create_string_buffer(struct.pack("<qq", 0, 50_000_000), 16)
text = ctypes.create_string_buffer(b"readable")
chain.prepare(IORING_OP_TIMEOUT, -1, ctypes.addressof(soon), length=1, how=IOSQE_IO_HARDLINK)
chain.prepare(IORING_OP_OPENAT, AT_FDCWD, ctypes.addressof(text), flags=os.O_WRONLY)
call(SYS_IO_URING_ENTER, chain.fd, 2, 0, 0, 0, 0)
while chain.number_at(chain.cq_tail) < 2:
    time.sleep(0.2)

listener = socket.create_server(("127.0.0.1", 0))
client, refused = socket.socket(), socket.socket()
facts = {"listener": port_of(listener), "refusing": refusing_port()}
accepting = Ring()
accepting.submit(IORING_OP_ACCEPT, listener.fileno(), 0)
target = ctypes.create_string_buffer(address_of(facts["listener"]), 16)
if ring.do(IORING_OP_CONNECT, client.fileno(), ctypes.addressof(target), offset=16) != 0:
    sys.exit("io_uring did not connect")
facts["client"] = port_of(client)
if accepting.result() < 0:
    sys.exit("io_uring did not accept")
target = ctypes.create_string_buffer(address_of(facts["refusing"]), 16)
ring.do(IORING_OP_CONNECT, refused.fileno(), ctypes.addressof(target), offset=16)

if platform.machine() == "x86_64":
    # f(number, a, b, c): the system call of 32-bit programs, which takes what is in the lower 4 GiB.
    # push rbx; mov eax, edi; mov ebx, esi; mov edi, edx; mov edx, ecx; mov ecx, edi; xor esi, esi; int 0x80; pop rbx; ret
    low = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_32BIT, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    low[:17] = bytes.fromhex("5389f889f389d789ca89f931f6cd805bc3")
    base = ctypes.addressof(ctypes.c_char.from_buffer(low))
    call32 = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint)(base)
    SYS_OPEN, SYS_SOCKETCALL, SYS_CONNECT, SYS_ACCEPT4 = 5, 102, 362, 364
    SOCKETCALL_CONNECT, SOCKETCALL_ACCEPT = 3, 5

    low[64:73] = b"by-32bit\0"
    low[128:142] = b"missing/32bit\0"
    facts["has32"] = call32(SYS_OPEN, base + 64, WRITE, 0o600) >= 0
    if facts["has32"]:
        call32(SYS_OPEN, base + 128, WRITE, 0o600)
        client32, client_call = socket.socket(), socket.socket()
        low[192:208] = address_of(facts["listener"])
        if call32(SYS_CONNECT, client32.fileno(), base + 192, 16) != 0:
            sys.exit("connect, 32 bits, failed")
        accepted = call32(SYS_ACCEPT4, listener.fileno(), 0, 0)
        low[256:268] = struct.pack("<3I", client_call.fileno(), base + 192, 16)
        if call32(SYS_SOCKETCALL, SOCKETCALL_CONNECT, base + 256, 0) != 0:
            sys.exit("connect by socketcall failed")
        low[256:268] = struct.pack("<3I", listener.fileno(), 0, 0)
        if accepted < 0 or call32(SYS_SOCKETCALL, SOCKETCALL_ACCEPT, base + 256, 0) < 0:
            sys.exit("accept, 32 bits, failed")
        facts["client32"], facts["clientCall"] = port_of(client32), port_of(client_call)

with open("by-handle", "w", encoding="utf-8"):
    pass
MAX_HANDLE = 128
handle = ctypes.create_string_buffer(struct.pack("<Ii", MAX_HANDLE, 0), 8 + MAX_HANDLE)
mount_id = ctypes.c_int()
if libc.name_to_handle_at(AT_FDCWD, b"by-handle", handle, ctypes.byref(mount_id), 0) != 0:
    sys.exit(f"name_to_handle_at: {os.strerror(ctypes.get_errno())}")
if libc.open_by_handle_at(os.open(".", os.O_RDONLY), handle, os.O_WRONLY | os.O_APPEND) < 0:
    sys.exit(f"open_by_handle_at: {os.strerror(ctypes.get_errno())}")

print(json.dumps(facts))
