"""A WSGI application, for gunicorn."""

from python_work import work


def application(environ, start_response):
    body = work(environ["QUERY_STRING"]) if environ["PATH_INFO"] == "/work" else b"ready\n"
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
