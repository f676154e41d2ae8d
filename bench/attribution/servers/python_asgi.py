"""A plain ASGI application, for uvicorn: one event loop, asyncio all the way, file access on its thread pool."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

import asyncpg
import redis.asyncio

WORK_DIR = os.environ["WORK_DIR"]
POOL_SIZE = int(os.environ["POOL_SIZE"])


class Services:
    """Made at start-up: they belong to the loop."""

    pool = None
    store = None


def touch(path):
    with open(path, "w", encoding="utf-8") as file:
        file.write("visited\n")
    os.unlink(path)


async def work(query):
    parameters = parse_qs(query)
    given = parameters["id"][0]
    mark = given[::-1] if parameters["carry"][0] == "reversed" else given
    await Services.pool.execute("INSERT INTO visits (mark) VALUES ($1)", mark)
    child = await asyncio.create_subprocess_exec("/bin/echo", mark, stdout=asyncio.subprocess.PIPE)
    await child.communicate()
    await asyncio.to_thread(touch, os.path.join(WORK_DIR, mark + ".txt"))
    await Services.store.exists("visit:" + mark)
    await Services.pool.execute(f"SELECT 1 /* {mark} */")
    return f"done {given}\n".encode()


async def open_services():
    Services.pool = await asyncpg.create_pool(min_size=1, max_size=POOL_SIZE)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(POOL_SIZE))
    Services.store = redis.asyncio.Redis(port=int(os.environ["REDIS_PORT"]))


async def close_services():
    await Services.pool.close()


async def lifespan(receive, send):
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await open_services()
            await send({"type": "lifespan.startup.complete"})
        else:
            await close_services()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    body = await work(scope["query_string"].decode()) if scope["path"] == "/work" else b"ready\n"
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
