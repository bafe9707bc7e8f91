#!/usr/bin/env python3
"""Sends a cart, and prints the number of its purchase order. Needs Python 3.9, and nothing else.

    PO_WEBHOOK_URL=… TOKEN_URL=… CLIENT_ID=… CLIENT_SECRET=… [SCOPE=…] python3 send_cart.py CART.json

Ends with 0: there is an order; 1: somebody has to act; 2: not known yet, run it again with the same file.
"""

import base64
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

SENDS = 5  # how often the cart is sent,
POLLS = 60  # and how often its order is asked for
SECONDS = 10  # between two, where the answer has no Retry-After
TIMEOUT = 60  # longer than the service's own deadline of 50 s

SEND_AGAIN = {408, 429, 500, 503, 504}
SETTLED = {"created", "rejected", "parked", "cancelled"}


def complain(text):
    print(text, file=sys.stderr)


def fetch_token():
    """Client credentials (RFC 6749 §4.4)."""
    quoted = [urllib.parse.quote(os.environ[name], safe="") for name in ("CLIENT_ID", "CLIENT_SECRET")]
    form = {"grant_type": "client_credentials"}
    if os.environ.get("SCOPE"):
        form["scope"] = os.environ["SCOPE"]
    headers = {
        "Authorization": "Basic " + base64.b64encode(":".join(quoted).encode()).decode(),
        # XSUAA decodes encoded credentials only if it is told so.
        "X-CF-ENCODED-CREDENTIALS": "true",
    }
    request = urllib.request.Request(os.environ["TOKEN_URL"], urllib.parse.urlencode(form).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["access_token"]


def call(path, token, cart=None):
    """Status, headers and body of an answer; status 0 if there was none."""
    url = os.environ["PO_WEBHOOK_URL"].rstrip("/") + path
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, cart, headers), timeout=TIMEOUT) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as error:
        text = error.read()
        try:
            return error.code, error.headers, json.loads(text)
        except ValueError:  # a gateway's page
            return error.code, error.headers, {"title": text.decode(errors="replace")}
    except (OSError, http.client.HTTPException, ValueError) as error:
        complain(f"no answer: {error}")
        return 0, {}, {}


def wait(headers, reason):
    seconds = int(headers.get("Retry-After") or SECONDS)
    complain(f"{reason}; again in {seconds} s")
    time.sleep(seconds)


def explain(body):
    """Title, detail and every message of a problem (RFC 9457), or of an order."""
    complain(" ".join(str(body[key]) for key in ("status", "title", "detail", "state", "requestId") if key in body))
    for message in body.get("messages", []):
        complain(f"  {message['type']} {message['number']} {message['message']}")


def await_order(token, headers, order):
    """Asks for an order that is still open (202), until it is settled."""
    for _ in range(POLLS):
        wait(headers, f"the order is {order.get('state')}")
        status, _, found = call(f"/v2/purchase-orders/{urllib.parse.quote(order['id'], safe='')}", token)
        if status == 200 and found["state"] in SETTLED:
            return found
    return None


def send(cart):
    token = fetch_token()
    renewed = False
    for _ in range(SENDS):
        status, headers, body = call("/v2/purchase-orders", token, cart)
        if status == 202:
            body = await_order(token, headers, body)
            if body is None:
                break
        # 201: created now. 200: this cart had its order already.
        if status in (200, 201, 202) and body["state"] == "created":
            print(body["purchaseOrderNumber"])
            return 0
        if status == 401 and not renewed:
            # The token may have expired on its way; a new one is tried once.
            renewed, token = True, fetch_token()
        elif status == 0 or status in SEND_AGAIN or (status == 502 and "type" not in body):
            # Whatever became of it: the same cart may always be sent again, and is one order. A 502 without a type is no
            # problem of the service, but a gateway's page.
            wait(headers, str(status or "no answer"))
        else:
            # 422: mistakes of the cart, or a refusal of 11VMS. 409: another cart has this id. 502: parked, a person has to
            # look. 400, 403, 413, 415: the request itself is wrong.
            explain(body)
            return 1
    complain("no outcome yet; run this again later")
    return 2


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        sys.exit(send(file.read()))
