"""A process that serves a request, and opens files in every way while it does."""

import ctypes
import os
import platform
import socket
import sys

directory = sys.argv[1]
os.chdir(directory)
os.mkdir("sub")
with open("target", "w", encoding="utf-8") as file:
    file.write("x")
os.chmod("target", 0o644)
os.symlink("target", "link")
with open("secret", "w", encoding="utf-8") as file:
    file.write("x")
os.chmod("secret", 0o600)
os.chmod(directory, 0o755)


def attempt(action):
    try:
        return action()
    except OSError:
        return -1


attempt(lambda: open("target-before-request", "r", encoding="utf-8"))

listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client.sendall(b"GET /files HTTP/1.1\r\nHost: x\r\n\r\n")
server.recv(1000)

os.open("target", os.O_RDONLY)
os.open("link", os.O_RDONLY)
os.open("sub/.././target", os.O_RDONLY)
attempt(lambda: os.open("sub/../no-such-file", os.O_RDONLY))
attempt(lambda: os.open("/no-such-directory/../no-such-file", os.O_RDONLY))
sub = os.open("sub", os.O_RDONLY | os.O_DIRECTORY)
os.open("created", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644, dir_fd=sub)
attempt(lambda: os.open("nothing-here", os.O_RDONLY, dir_fd=sub))
os.open(b"not-utf8-\xff\xfe", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)

libc = ctypes.CDLL(None, use_errno=True)


class OpenHow(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


how = OpenHow(os.O_CREAT | os.O_WRONLY, 0o644, 0)
result = libc.syscall(
    ctypes.c_long(437), ctypes.c_int(sub), b"by-openat2", ctypes.byref(how), ctypes.c_size_t(24)
)
if result < 0:
    sys.exit(f"openat2: errno {ctypes.get_errno()}")
libc.creat(b"by-creat", 0o600)
if platform.machine() == "x86_64":
    libc.syscall(ctypes.c_long(2), b"by-open", os.O_CREAT | os.O_WRONLY, 0o600)

os.setresuid(65534, 65534, 65534)
attempt(lambda: os.open("secret", os.O_RDONLY))
server.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
