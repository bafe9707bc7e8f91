"""A real mail server (aiosmtpd) on 127.0.0.1: prints its port, then each mail as one JSON line.

mail_server.py CONFIG   with {"user", "password", "certificate", "key"}, all optional; "refuse": an answer to each mail.
"""

import json
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

with open(sys.argv[1], encoding="utf-8") as file:
    config = json.load(file)


class Handler:
    async def handle_DATA(self, server, session, envelope):
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": envelope.content.decode("utf-8"),
            "tls": session.ssl is not None,
            "user": session.auth_data,
        }
        print(json.dumps(mail), flush=True)
        refusals = config.get("refuse", [])
        return refusals.pop(0) if refusals else "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    given = (data.login.decode(), data.password.decode())
    success = given == (config["user"], config["password"])
    return AuthResult(success=success, handled=success, auth_data=given[0])


options = {}
if "certificate" in config:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(config["certificate"], config["key"])
    options["tls_context"] = context
    options["require_starttls"] = config.get("requireStartTls", False)
if "user" in config:
    options["authenticator"] = authenticate
    options["auth_required"] = True
    options["auth_require_tls"] = "certificate" in config

controller = Controller(Handler(), hostname="127.0.0.1", port=0, **options)


def port_of(controller):
    return controller.server.sockets[0].getsockname()[1]


# The controller connects to its own port to see that it serves; port 0 is known only after it has begun.
original = controller._trigger_server


def trigger():
    controller.port = port_of(controller)
    original()


controller._trigger_server = trigger
controller.start()
print(port_of(controller), flush=True)
threading.Event().wait()
