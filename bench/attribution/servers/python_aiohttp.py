"""aiohttp: one event loop, and for each connection one task that lives as long as the connection."""

import os

from aiohttp import web

import python_asgi


async def answer(request):
    if request.path != "/work":
        return web.Response(text="ready\n")
    body = await python_asgi.work(request.query_string)
    return web.Response(body=body)


async def services(_application):
    await python_asgi.open_services()
    yield
    await python_asgi.close_services()


application = web.Application()
application.cleanup_ctx.append(services)
application.router.add_get("/{path:.*}", answer)

web.run_app(
    application,
    host="127.0.0.1",
    port=int(os.environ["PORT"]),
    backlog=512,
    access_log=None,
    print=None,
)
