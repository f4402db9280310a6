"""The same answer from each Python server: `app.py KIND PORT`, or `app:wsgi` and `app:asgi` under a server's command."""

import sys
from concurrent import futures


def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def serve_aiohttp(port):
    from aiohttp import web

    async def answer(_):
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_get("/", answer)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


def serve_grpc(port):
    import grpc

    class Any(grpc.GenericRpcHandler):
        def service(self, _):
            return grpc.unary_unary_rpc_method_handler(lambda request, _: request)

    server = grpc.server(futures.ThreadPoolExecutor(2), handlers=[Any()])
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    {"aiohttp": serve_aiohttp, "grpc": serve_grpc}[sys.argv[1]](int(sys.argv[2]))
