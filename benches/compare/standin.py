"""The others of a cart's way, played cheaply: the issuer with its keys, the token endpoint of 11VMS, and 11VMS itself.

nginx answers at once; a small Node server answers after a while. Both are on the core of the load. They take every order, and
store none.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import time

from processes import Program, free_port, listens

HERE = os.path.dirname(os.path.abspath(__file__))
AUDIENCE = "purchase-order-webhook"
#: What a sender needs; the lists that benches/compare/growth asks for need the other one.
WRITE_SCOPE = "purchase-orders.write"
SCOPES = f"{WRITE_SCOPE} purchase-orders.read"
KEY_ID = "compare"
TOKEN_LIFETIME = 12 * 3600


def _base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _openssl(*arguments, given=None):
    return subprocess.run(["openssl", *arguments], input=given, check=True, capture_output=True).stdout


class Issuer:
    """A key of RSA 2048 and the tokens that it signs."""

    def __init__(self, folder):
        self.key = os.path.join(folder, "issuer.key")
        self.public_key = os.path.join(folder, "issuer.pub")
        _openssl("genrsa", "-out", self.key, "2048")
        _openssl("rsa", "-in", self.key, "-pubout", "-out", self.public_key)

    def keys(self):
        """The key as a JWK set."""
        text = _openssl("rsa", "-in", self.key, "-noout", "-modulus").decode()
        modulus = bytes.fromhex(re.search("Modulus=([0-9A-F]+)", text)[1])
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, "n": _base64url(modulus), "e": "AQAB"}
        return {"keys": [key]}

    def token(self, issuer):
        """A token that permits to send carts and to list orders."""
        now = int(time.time())
        header = {"alg": "RS256", "typ": "at+jwt", "kid": KEY_ID}
        claims = {
            "iss": issuer, "aud": AUDIENCE, "sub": "srm7", "client_id": "srm7", "scope": SCOPES, "iat": now, "exp": now + TOKEN_LIFETIME,
        }
        signed = ".".join(_base64url(json.dumps(part).encode()) for part in (header, claims))
        return f"{signed}.{_base64url(_openssl('dgst', '-sha256', '-sign', self.key, given=signed.encode()))}"


class StandIn:
    """The running stand-ins, with their addresses."""

    def __init__(self, folder, core, slow_ms=200):
        self.port, self.slow_port = free_port(), free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.issuer_url = f"{self.origin}/issuer"
        self.token_url = f"{self.origin}/token"
        self.issuer = Issuer(folder)
        self.token = self.issuer.token(self.issuer_url)
        self._write_pages(folder)
        log = os.path.join(folder, "standin.log")
        settings = filled(os.path.join(HERE, "standin", "nginx.conf"), os.path.join(folder, "standin.conf"), FOLDER=folder, PORT=self.port)
        nginx = Program([program("nginx"), "-c", settings, "-e", log], core, log)
        nginx.wait_until(lambda: listens(self.port), "the stand-in listens")
        slow = Program(["node", os.path.join(HERE, "standin", "slow.mjs"), self.slow_port, slow_ms], core, log)
        slow.wait_until(lambda: listens(self.slow_port), "the slow stand-in listens")

    def vms_port(self, delay_ms):
        """The port of the 11VMS that takes so long."""
        return self.slow_port if delay_ms else self.port

    def _write_pages(self, folder):
        place = os.path.join(folder, "pages", "issuer", ".well-known")
        os.makedirs(place)
        metadata = {"issuer": self.issuer_url, "jwks_uri": f"{self.issuer_url}/jwks.json"}
        for path, content in ((os.path.join(place, "openid-configuration"), metadata), (os.path.join(place, "..", "jwks.json"), self.issuer.keys())):
            with open(path, "w") as file:
                json.dump(content, file)
        # nginx may serve as another user than the one who made them.
        os.chmod(folder, 0o755)


def program(name):
    """A program, also where Debian keeps those of the system."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/local/sbin")


def filled(template, path, **values):
    """Writes a template with {{NAME}} replaced by values, and returns its path."""
    with open(template) as file:
        text = file.read()
    for name, value in values.items():
        text = text.replace("{{" + name + "}}", str(value))
    left = re.search(r"{{\w+}}", text)
    if left:
        raise ValueError(f"{template}: nothing fills {left[0]}")
    with open(path, "w") as file:
        file.write(text)
    return path
