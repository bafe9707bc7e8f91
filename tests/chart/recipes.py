"""The recipes of docs/identity.md, as values of the chart, and what the service says of their render.

`values PAGE FOLDER` writes one file of values for each row of the page's tables, and each block of a caller's recipe. `check RENDER SECRETS MAPPING BINARY` runs the service's
own `check` on a rendered config.toml, with the variables and the secrets that the pod would have.
"""

import pathlib
import re
import subprocess
import sys

import tomli
import yaml

PLACE = "/run/secrets/purchase-order-webhook/"
BASE = {
    "auth": {"issuer": "https://login.example.com", "audience": "purchase-order-webhook"},
    "target": {
        "base_url": "https://11vms.example.com/api",
        "oauth2": {"token_url": "https://login.11vms.example.com/token", "client_id": "purchase-order-webhook"},
    },
}
# Keys that the page names without a value.
NAMED = {
    "issuer": None,
    "audience": None,
    "client_id": None,
    "client_secret_file": None,
    "key_id": "2026-01",
    "assertion_audience": "https://login.example.com",
    "assertion_algorithm": None,
    "assertion_key": None,
    "subject": "integration@example.com",
    "private_key_file": PLACE + "key.pem",
    "certificate_file": PLACE + "certificate.pem",
}


def rows(page, heading):
    """The rows of the table with this heading, as cells."""
    lines = page.split(heading + "\n", 1)[1].splitlines()[1:]
    found = []
    for line in lines:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split(" | ")])
    assert found, f"no table {heading}"
    return found


def blocks(page, heading):
    """The blocks of TOML of a section, each with its own heading."""
    section = re.split(r"^##{1,2} ", page.split(heading + "\n", 1)[1], maxsplit=1, flags=re.M)[0]
    found = re.findall(r"^#### ([^\n]+)\n[^#]*?```toml\n(.*?)```", section, re.M | re.S)
    assert len(found) > 5, f"no blocks below {heading}"
    return found


def settings_of(cell):
    """What the code of a cell sets: pairs as TOML, and keys that are only named."""
    found = {}
    for code in re.findall(r"`([^`]+)`", cell):
        if re.match(r"[a-z_.]+ = ", code):
            text = re.sub(r'"<[^">]+>/', '"https://example.com/', code)
            merge(found, tomli.loads(re.sub(r"<[^>]+>", "example", text)))
        elif code in NAMED:
            if NAMED[code] is not None:
                found[code] = NAMED[code]
        elif re.fullmatch(r"[a-z]+_[a-z_]+", code) and not re.search(r"(basic|post|jwt|auth)$", code):
            sys.exit(f"a recipe names the key {code}, which this check does not know")
    return found


def merge(into, more):
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value
    return into


def copy(value):
    return {key: copy(inner) for key, inner in value.items()} if isinstance(value, dict) else value


def values(config, **secrets):
    oauth2 = config["target"]["oauth2"]
    needs_secret = oauth2.get("auth", "none" if oauth2.get("grant") == "jwt_bearer" else "basic") in ("basic", "post")
    if needs_secret:
        secrets["targetClientSecret"] = {"secretName": "my-11vms"}
    text = yaml.safe_dump(config)
    names = sorted(set(re.findall(re.escape(PLACE) + r"([\w.-]+)", text)))
    secrets["files"] = [{"secretName": "my-files", "key": name, "path": name} for name in names]
    return {"config": config, "secrets": secrets}


def recipes(page):
    for issuer, block in blocks(page, "### Recipes for callers' tokens"):
        yield f"callers {issuer}", values(merge(copy(BASE), tomli.loads(block)))
    for wanted, cell in rows(page, "| the server wants | `[target.oauth2]` |"):
        yield f"target {wanted}", values(merge(copy(BASE), {"target": {"oauth2": settings_of(cell)}}))
    for proxy, _, header in rows(page, "| proxy | how it passes the certificate on | `certificate_header` |"):
        proxy_settings = {"addresses": ["10.1.2.0/24"], "certificate_header": header.strip("`")}
        yield f"proxy {proxy}", values(merge(copy(BASE), {"server": {"proxy": proxy_settings}}))
    assert "`[auth.introspection]`" in page and "`server.tls.client_ca`" in page, "the page has lost a recipe"
    introspection = {"url": "https://login.example.com/introspect", "client_id": "purchase-order-webhook"}
    by_reference = [{"setting": "auth.introspection.client_secret", "secretName": "my-introspection", "key": "client-secret"}]
    yield "opaque tokens", values(merge(copy(BASE), {"auth": {"introspection": introspection}}), settings=by_reference)
    tls = {"certificate": PLACE + "certificate.pem", "key": PLACE + "key.pem", "client_ca": PLACE + "ca.pem"}
    yield "bound tokens", values(merge(copy(BASE), {"server": {"tls": tls}}))


def write(page, folder):
    found = list(recipes(pathlib.Path(page).read_text()))
    assert len(found) > 15, f"{len(found)} recipes: the page can't be read"
    for number, (name, given) in enumerate(found):
        name = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        pathlib.Path(folder, f"{number:02}-{name}.yaml").write_text(yaml.safe_dump(given))


def check(render, secrets, mapping, binary):
    objects = [o for o in yaml.safe_load_all(open(render)) if o]
    config = next(o for o in objects if "config.toml" in o.get("data", {}))["data"]["config.toml"]
    pod = next(o for o in objects if o["kind"] in ("StatefulSet", "Deployment"))["spec"]["template"]["spec"]
    secrets = str(pathlib.Path(secrets).resolve()) + "/"
    for source in (s for v in pod["volumes"] if v["name"] == "secrets" for s in v["projected"]["sources"]):
        for item in source["secret"]["items"]:
            file = pathlib.Path(secrets + item["path"])
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text("a-secret-of-the-checks")
    file = pathlib.Path(render + ".toml")
    file.write_text(config.replace(PLACE, secrets).replace("/etc/purchase-order-webhook/mapping", mapping))
    variables = {v["name"]: v["value"].replace(PLACE, secrets) for v in pod["containers"][0]["env"] if "value" in v}
    variables["PO_WEBHOOK_CONFIG"] = str(file)
    result = subprocess.run([binary, "check"], env=variables, capture_output=True, text=True)
    assert result.returncode == 0, f"{render}: {result.stderr}{config}"


globals()[{"values": "write", "check": "check"}[sys.argv[1]]](*sys.argv[2:])
