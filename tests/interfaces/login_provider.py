"""A login provider as small as OpenID Connect allows: it logs in one person without asking."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT = "bids"


class Provider(ThreadingHTTPServer):
    """`email` is who logs in next, for `seconds`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.email, self.seconds = "ada@x.org", 3600
        self.nonces: dict[str, str] = {}

    def id_token(self, code: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.address,
            "aud": CLIENT,
            "sub": self.email,
            "email": self.email,
            "email_verified": True,
            "nonce": self.nonces.pop(code),
            "iat": now,
            "exp": now + self.seconds,
        }
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if asked.path == "/authorize":
            self._send_back({name: values[0] for name, values in parse_qs(asked.query).items()})
        elif asked.path == "/keys":
            self._tell({"keys": [self.server.key.as_dict(private=False)]})
        else:
            here = self.server.address
            self._tell(
                {
                    "issuer": here,
                    "authorization_endpoint": f"{here}/authorize",
                    "token_endpoint": f"{here}/token",
                    "jwks_uri": f"{here}/keys",
                    "response_types_supported": ["code"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                }
            )

    def do_POST(self) -> None:
        said = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        token = self.server.id_token(said["code"][0])
        self._tell({"access_token": "a", "token_type": "Bearer", "id_token": token})

    def _send_back(self, asked: dict[str, str]) -> None:
        code = f"code{len(self.server.nonces)}{time.time_ns()}"
        self.server.nonces[code] = asked["nonce"]
        self.send_response(302)
        back = urlencode({"code": code, "state": asked["state"]})
        self.send_header("Location", f"{asked['redirect_uri']}?{back}")
        self.end_headers()

    def _tell(self, value: Any) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider that answers while it is needed."""
    server = Provider()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
