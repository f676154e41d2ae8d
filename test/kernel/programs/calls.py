"""Makes the system calls that are given as JSON in the first argument, in namespaces of its own, and says what each returned.

A call is [number, argument, ...]; an argument is a number, "text" for a string, ["open", path] for a descriptor, or ["bytes", hex].
"""
import ctypes
import json
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWUTS = 0x20000, 0x4000000
if libc.unshare(CLONE_NEWNS | CLONE_NEWUTS) != 0:
    sys.exit("unshare: " + os.strerror(ctypes.get_errno()))


def argument(value):
    if isinstance(value, int):
        return ctypes.c_long(value)
    if isinstance(value, str):
        return ctypes.c_char_p(value.encode())
    kind, text = value
    if kind == "open":
        return ctypes.c_long(os.open(text, os.O_RDONLY))
    return ctypes.c_char_p(bytes.fromhex(text))


os.chdir(sys.argv[2])
print(os.getpid(), flush=True)
for number, *arguments in json.loads(sys.argv[1]):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[argument(value) for value in arguments])
    print(result if result >= 0 else -ctypes.get_errno(), flush=True)
