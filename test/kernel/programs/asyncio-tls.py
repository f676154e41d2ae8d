"""HTTP on asyncio with TLS: the loop reads the sockets, and the TLS library only ever sees memory.

Usage: asyncio-tls.py PORT CERTIFICATE KEY

GET /run?id=X runs /bin/echo X; everything else has no effect.
"""

import asyncio
import ssl
import sys
from urllib.parse import parse_qs, urlsplit


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            url = urlsplit(head.split(b" ", 2)[1].decode())
            body = b"ready\n"
            if url.path == "/run":
                mark = parse_qs(url.query)["id"][-1]
                process = await asyncio.create_subprocess_exec("/bin/echo", mark, stdout=asyncio.subprocess.PIPE)
                body, _ = await process.communicate()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        writer.close()


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), ssl=context, backlog=512)
    await server.serve_forever()


asyncio.run(main())
