"""Processes on one processor open a file for writing as fast as they can. Prints the file and how often it was, as JSON."""

import json
import os
import sys

PROCESSES = 3
OPENS = 700

path = os.path.join(sys.argv[1], "file")
os.close(os.open(path, os.O_CREAT | os.O_RDONLY))
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
for _ in range(PROCESSES):
    if os.fork() == 0:
        for _ in range(OPENS):
            os.close(os.open(path, os.O_WRONLY))
        os._exit(0)
for _ in range(PROCESSES):
    os.wait()
print(json.dumps({"file": path, "opens": PROCESSES * OPENS + 1}))
