"""What a request of the Python servers that work on threads does."""

import os
import queue
import subprocess
from urllib.parse import parse_qs

import psycopg2
import redis

WORK_DIR = os.environ["WORK_DIR"]
POOL_SIZE = 8


class Pool:
    """psycopg2's own pool refuses instead of waiting when it is empty."""

    def __init__(self, size):
        self.free = queue.LifoQueue()
        for _ in range(size):
            self.free.put(None)

    def run(self, statement, values=None):
        connection = self.free.get()
        try:
            if connection is None:
                connection = psycopg2.connect("")
                connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
        finally:
            self.free.put(connection)


pool = Pool(POOL_SIZE)
store = redis.Redis(port=int(os.environ["REDIS_PORT"]))


def work(query):
    parameters = parse_qs(query)
    given = parameters["id"][0]
    mark = given[::-1] if parameters["carry"][0] == "reversed" else given
    pool.run("INSERT INTO visits (mark) VALUES (%s)", (mark,))
    subprocess.run(["/bin/echo", mark], stdout=subprocess.PIPE, check=True)
    path = os.path.join(WORK_DIR, mark + ".txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write("visited\n")
    os.unlink(path)
    store.exists("visit:" + mark)
    pool.run(f"SELECT 1 /* {mark} */")
    return f"done {given}\n".encode()
