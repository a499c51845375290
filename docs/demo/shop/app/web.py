"""Serves the page on port 8000."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from app.page import render


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = render().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("", 8000), Handler).serve_forever()
