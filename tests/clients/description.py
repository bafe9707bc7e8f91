"""openapi/11vms.openapi.json: schemas that values are held against, and an 11VMS that is nothing but its examples."""

import collections
import json
import threading
import urllib.parse

import jsonschema
from service import ROOT, FakeServer

FILE = ROOT / "openapi/11vms.openapi.json"
DESCRIPTION = json.loads(FILE.read_text())
PATH = "/purchase-orders"
SAMPLE_ID = DESCRIPTION["components"]["schemas"]["ExternalId"]["example"]

# Answers to requests of every id.
ANY = "any"

# What HTTP and the security scheme bring along; they are no parameters (OpenAPI 3.0.3, Parameter Object).
ALWAYS = {"accept", "accept-encoding", "authorization", "content-length", "content-type", "host", "user-agent"}


def resolved(value):
    """What a reference leads to."""
    while "$ref" in value:
        target = DESCRIPTION
        for name in value["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        value = target
    return value


def mistakes(schema, value):
    """What is wrong with a value. The schemas use nothing in which OpenAPI 3.0 differs from JSON Schema."""
    validator = jsonschema.Draft202012Validator(
        {**schema, "components": DESCRIPTION["components"]}, format_checker=jsonschema.FormatChecker()
    )
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def content(part):
    return resolved(part)["content"]["application/json"]


def examples(method):
    """Status, headers, name and example of every answer."""
    for status, response in DESCRIPTION["paths"][PATH][method]["responses"].items():
        response = resolved(response)
        headers = {name: header["example"] for name, header in response.get("headers", {}).items()}
        for name, example in content(response)["examples"].items():
            yield int(status), headers, name, example


def mistakes_of_answer(method, status, text):
    """What is wrong with an answer of somebody who says that they are 11VMS."""
    response = DESCRIPTION["paths"][PATH][method]["responses"].get(str(status))
    if response is None:
        return [f"{status} is not described"]
    return mistakes(content(response)["schema"], json.loads(text))


def mistakes_of_request(method, path, headers, body):
    """What is wrong with a request of somebody who calls 11VMS."""
    address = urllib.parse.urlsplit(path)
    operation = DESCRIPTION["paths"].get(address.path, {}).get(method)
    if operation is None:
        return [f"{method} {path} is not described"]
    sent = {
        "header": {name.lower(): value for name, value in headers.items() if name.lower() not in ALWAYS},
        "query": dict(urllib.parse.parse_qsl(address.query, keep_blank_values=True)),
    }
    found = []
    for parameter in map(resolved, operation["parameters"]):
        name = parameter["name"].lower() if parameter["in"] == "header" else parameter["name"]
        value = sent[parameter["in"]].pop(name, None)
        if value is not None:
            found += mistakes(parameter["schema"], value)
        elif parameter["required"]:
            found.append(f"{name} is missing")
    found += [f"{place} {name} is not described" for place, values in sent.items() for name in values]
    if "requestBody" in operation:
        order = json.loads(body)
        found += mistakes(content(operation["requestBody"])["schema"], order)
        if order.get("externalId") != headers.get("Idempotency-Key"):
            found.append("the key is not the order's id")
    elif body:
        found.append("a body is not described")
    return found


class DescribedVms(FakeServer):
    """An 11VMS on a free port. It gives the answers that were queued for an id, or for any, then those of its description: an order
    is created, and none is found; the id of the examples becomes that of the request. Each request is held against the description."""

    def __init__(self):
        self.queues, self.mistakes, self.lock = collections.defaultdict(list), [], threading.Lock()
        super().__init__()

    def respond(self, request, body):
        method = request.command.lower()
        search = urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query).get("externalId", [""])[0]
        identity = request.headers.get("Idempotency-Key") or search
        with self.lock:
            self.mistakes += mistakes_of_request(method, request.path, request.headers, body)
            queue = self.queues[identity] or self.queues[ANY]
            status, headers, value = queue.pop(0) if queue else self.usual(method)
        return status, headers, json.dumps(value).replace(SAMPLE_ID, identity)

    @staticmethod
    def usual(method):
        wanted = {"get": "absent", "post": "created"}[method]
        return next((status, headers, example["value"]) for status, headers, name, example in examples(method) if name == wanted)
