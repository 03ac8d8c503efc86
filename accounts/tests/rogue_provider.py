"""An OpenID provider that tells whatever a test wants: the truth, forged tokens, trouble. Real HTTP, real keys."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

CLIENT = "our-client"


def new_key() -> RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def jwk_of(key: RSAPrivateKey, kid: str) -> dict[str, Any]:
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return {**public, "kid": kid, "use": "sig", "alg": "RS256"}


def challenge(verifier: str) -> str:
    """RFC 7636 §4.2, S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class RogueProvider:
    """
    `claims`, `key` and `kid` are what the next token gets; `status` answers every call; `calls` counts by path; `drops`
    has how many calls of a path it hangs up on; `junk` goes into the answer to a code.
    """

    def __init__(self) -> None:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.answer(self, "")

            def do_POST(self) -> None:
                provider.answer(self, self.rfile.read(int(self.headers["Content-Length"])).decode())

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.kid, self.key = "first", new_key()
        self.keys = [jwk_of(self.key, self.kid)]
        self.status = 200
        self.forged: str | None = None
        self.claims: dict[str, Any] = {}
        self.document: dict[str, Any] = {}
        self.calls: dict[str, int] = {}
        self.drops: dict[str, int] = {}
        self.junk: dict[str, Any] = {}
        self.nonce = self.challenge = self.redirect_uri = ""
        self.codes = {"good-code"}
        self.routes: dict[str, Callable[[str], tuple[int, Any]]] = {
            "/.well-known/openid-configuration": self.discovery,
            "/jwks": self.jwks,
            "/userinfo": self.userinfo,
            "/token": self.exchange,
            "/elsewhere": lambda _: (200, {}),
        }
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def asked(self, location: str) -> None:
        """What the browser brings to the authorization endpoint."""
        query = {name: values[0] for name, values in parse_qs(location.partition("?")[2]).items()}
        self.query = query
        self.nonce, self.challenge = query["nonce"], query["code_challenge"]
        self.redirect_uri = query["redirect_uri"]

    def token(self, **claims: Any) -> str:
        now = int(time.time())
        whole = {"iss": self.issuer, "aud": CLIENT, "sub": "s-1", "iat": now, "exp": now + 300, **self.claims, **claims}
        whole = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(whole, self.key, "RS256", {"kid": self.kid})

    def answer(self, handler: BaseHTTPRequestHandler, body: str) -> None:
        path = handler.path.partition("?")[0]
        self.calls[path] = self.calls.get(path, 0) + 1
        if self.drops.get(path, 0):
            self.drops[path] -= 1
            handler.close_connection = True
            return
        status = self.status
        answer: Any = {}
        if status == 200:
            status, answer = self.routes[path](body)
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        handler.send_response(status)
        if 300 <= status < 400:
            handler.send_header("Location", f"{self.issuer}/elsewhere")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        try:
            handler.wfile.write(content)
        except OSError:
            pass  # the client has had enough

    def discovery(self, _: str) -> Any:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        document = {"issuer": self.issuer, **{key: f"{self.issuer}/{path}" for key, path in names.items()}}
        return 200, {**document, "userinfo_endpoint": f"{self.issuer}/userinfo", **self.document}

    def jwks(self, _: str) -> tuple[int, Any]:
        return 200, {"keys": self.keys}

    def userinfo(self, _: str) -> tuple[int, Any]:
        return 200, {"sub": "somebody-else", "email": "victim@example.com", "email_verified": True}

    def exchange(self, form: str) -> tuple[int, Any]:
        given = {name: values[0] for name, values in parse_qs(form).items()}
        verified = challenge(given.get("code_verifier", "")) == self.challenge
        fits = verified and given["redirect_uri"] == self.redirect_uri
        if given["code"] not in self.codes or not fits or given["client_secret"] != "our-secret":
            return 400, {"error": "invalid_grant"}
        self.codes.discard(given["code"])
        token = self.forged or self.token(**({"nonce": self.nonce} if "nonce" not in self.claims else {}))
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": token, **self.junk}
