"""An ASGI application for uvicorn: one event loop, a task for each request. See README.md for the paths."""

import asyncio
import os
from urllib.parse import parse_qs

WORK_DIR = os.environ["WORK_DIR"]
SINK_PORT = int(os.environ["SINK_PORT"])


async def run(*args):
    child = await asyncio.create_subprocess_exec(
        *args, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await child.communicate()
    return output


def read(name):
    with open(os.path.join(WORK_DIR, name), "rb") as file:
        return file.read()


def write(name, text):
    with open(os.path.join(WORK_DIR, name), "w", encoding="utf-8") as file:
        file.write(text)


async def work(parameters, is_shell):
    given = parameters.get("id", "")
    mark = given[::-1] if parameters.get("carry") == "reversed" else given
    _, writer = await asyncio.open_connection("127.0.0.1", int(parameters.get("port", SINK_PORT)))
    writer.close()
    await (run("/bin/sh", "-c", f"/bin/echo {mark}; true") if is_shell else run("/bin/echo", mark))
    # One on the pool, one on the loop.
    await asyncio.to_thread(write, mark + ".txt", mark)
    read(mark + ".txt")
    return f"done {given}\n".encode()


async def answer(path, parameters):
    name = parameters.get("name", "")
    match path:
        case "/":
            return 200, b"ready\n"
        case "/work" | "/shell":
            return 200, await work(parameters, path == "/shell")
        case "/run":
            return 200, await run("/bin/sh", "-c", "/bin/echo checking " + parameters.get("cmd", ""))
        case "/saferun":
            return 200, await run("/bin/echo", "checking", parameters.get("arg", ""))
        case "/saferead" if "/" in name or name.startswith("."):
            return 403, b"refused\n"
        case "/read" | "/saferead":
            return 200, await asyncio.to_thread(read, name)
        case "/big":
            return 200, b"x" * (200 * 1024)
        case _:
            return 404, b"not found\n"


async def body_of(receive):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body


async def application(scope, receive, send):
    if scope["type"] != "http":
        return
    parameters = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode()).items()}
    try:
        if scope["method"] == "POST" and scope["path"] == "/echo":
            status, body = 200, await body_of(receive)
        else:
            status, body = await answer(scope["path"], parameters)
    except OSError as error:
        status, body = 500, f"{error}\n".encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
