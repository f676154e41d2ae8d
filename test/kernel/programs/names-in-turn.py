"""
Processes of highest and lowest priority on one processor open, rename and remove files as fast as they can, and start
programs, for 64 bits and, where there is one, for 32 bits in turn. All texts that they hand to the kernel consist of one that is their own and of that round, over and over. Prints each
process's own text and what was done, as JSON.
"""

import json
import os
import sys

PROCESSES = 6
ROUNDS = 120
# Every so many rounds a program is started.
PROGRAMS = 12

os.chdir(sys.argv[1])
STARTED = ["/bin/true", *sys.argv[2:]]
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])


def work(own):
    for number in range(ROUNDS):
        # Of different lengths, so that what is left of another's shows.
        name = f"{own}{number:03d}." * (3 + number % 30)
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
        os.rename(name, name + "new")
        os.unlink(name + "new")
        if number % PROGRAMS == 0:
            pid = os.posix_spawn(STARTED[number // PROGRAMS % len(STARTED)], [name] * 20, {})
            os.waitpid(pid, 0)


processes = {}
for index in range(PROCESSES):
    own = chr(ord("a") + index) * 3
    pid = os.fork()
    if pid == 0:
        if index % 2:
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        else:
            os.nice(-10)
        work(own)
        os._exit(0)
    processes[pid] = own
failed = sum(os.waitpid(pid, 0)[1] != 0 for pid in list(processes))
print(
    json.dumps(
        {"processes": processes, "failed": failed, "rounds": ROUNDS, "programs": -(-ROUNDS // PROGRAMS)}
    )
)
