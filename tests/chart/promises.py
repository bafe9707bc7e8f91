"""What every render of the chart promises. Arguments: the rendered objects, and the values that they were made from."""

import sys

import tomli
import yaml

objects = [o for o in yaml.safe_load_all(open(sys.argv[1])) if o]
values = yaml.safe_load(open(sys.argv[2]))
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
PLACE = "/run/secrets/purchase-order-webhook/"


def all_of(kind, suffix="webhook"):
    return [o for o in objects if o["kind"] == kind and o["metadata"]["name"].endswith(suffix)]


def only(kind, suffix="webhook"):
    found = all_of(kind, suffix)
    assert len(found) == 1, f"{len(found)} objects of kind {kind} {suffix}"
    return found[0]


def seconds(duration):
    number = duration.rstrip("mshd")
    return int(number) * UNITS[duration[len(number):]]


def every(name, within):
    """Every value under a name, however deep."""
    if isinstance(within, dict):
        for key, inner in within.items():
            if key == name:
                yield inner
            yield from every(name, inner)
    elif isinstance(within, list):
        for inner in within:
            yield from every(name, inner)


def is_restricted(pod):
    """Kubernetes' Pod Security Standard "restricted", and what we add: nothing writable, nobody's account."""
    context = pod["securityContext"]
    assert context["runAsNonRoot"] is True and context["runAsUser"] == 10001, "may run as root"
    assert context["seccompProfile"]["type"] == "RuntimeDefault", "no seccomp profile"
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), "shares the node's namespaces"
    assert pod["automountServiceAccountToken"] is False and pod["enableServiceLinks"] is False
    allowed = {"configMap", "projected", "emptyDir", "persistentVolumeClaim"}
    for volume in pod.get("volumes", []):
        assert set(volume) - {"name"} <= allowed, f"volume {volume['name']} is of no restricted kind"
    for container in pod["containers"] + pod.get("initContainers", []):
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True and context["allowPrivilegeEscalation"] is False, "root is writable"
        assert context["capabilities"] == {"drop": ["ALL"]}, "keeps capabilities"
        assert "privileged" not in context and "hostPort" not in str(container.get("ports"))
        assert {"cpu", "memory"} <= set(container["resources"]["requests"]) and "memory" in container["resources"]["limits"]
        assert not [m for m in container.get("volumeMounts", []) if "subPath" in m], "a subPath hides later changes"


assert not [o for o in objects if o["kind"] == "Secret"], "makes a Secret"
for ports in every("ports", objects):
    for port in ports or []:
        assert port.get("protocol") in ("TCP", "UDP"), f"no protocol: {port}"

database = values["secrets"].get("ledgerUrl", {}).get("secretName")
kind = "Deployment" if database else "StatefulSet"
assert not all_of("StatefulSet" if database else "Deployment"), "two workloads"
workload = only(kind)["spec"]
scales = values.get("autoscaling", {}).get("enabled")
assert workload.get("replicas", 1) == values.get("replicas", 1), "another number of replicas than asked for"
assert "replicas" not in workload or not scales, "an upgrade would undo what the autoscaler did"
assert database or workload["replicas"] == 1, "more than one writer to a SQLite ledger"
assert len(all_of("HorizontalPodAutoscaler")) == (1 if scales else 0)
several = database and (scales or values.get("replicas", 1) > 1)
assert len(all_of("PodDisruptionBudget")) == (1 if several else 0), "a budget for one pod forbids to drain its node"

pod = workload["template"]["spec"]
is_restricted(pod)
is_restricted(only("Pod", "-test")["spec"])
selector = workload["selector"]["matchLabels"]
assert all(service["spec"]["selector"] == selector for service in all_of("Service", ""))
by_port = {port["name"]: service for service in all_of("Service", "") for port in service["spec"]["ports"]}
assert set(by_port) == {"http", "management"}
assert by_port["management"]["spec"].get("type", "ClusterIP") == "ClusterIP", "probes and metrics can be reached from outside"
assert not selector.items() <= only("Pod", "-test")["metadata"]["labels"].items(), "callers are sent to the test's pod"
assert (len(pod.get("topologySpreadConstraints", [])) == 2) == bool(database), "replicas are not spread"

settings = tomli.loads(only("ConfigMap")["data"]["config.toml"])
delay, drain = (seconds(settings["server"][key]) for key in ("stop_delay", "drain"))
deadline = seconds(settings["server"].get("deadline", "50s"))
assert delay > 0, "a rolling update refuses callers that were sent here before the endpoints changed"
assert delay + drain > deadline, "callers are cut off before their deadline"
assert pod["terminationGracePeriodSeconds"] >= delay + drain + 10, "is killed before it has stopped"
probe = pod["containers"][0]["startupProbe"]
assert probe["periodSeconds"] * probe["failureThreshold"] >= seconds(settings["ledger"].get("start_timeout", "60s")) + 60


def same(given, rendered, path="config"):
    for key, value in given.items():
        if isinstance(value, dict):
            same(value, rendered[key], f"{path}.{key}")
        else:
            assert (rendered[key], type(rendered[key])) == (value, type(value)), f"{path}.{key}: {value!r} became {rendered[key]!r}"


same(values["config"], settings)
[container] = pod["containers"]
data = [m["mountPath"] for m in container["volumeMounts"] if m["name"] == "data"]
variables = {variable["name"]: variable.get("value") for variable in container["env"]}
sources = [s for v in pod["volumes"] if v["name"] == "secrets" for s in v["projected"]["sources"]]
mounted_secrets = {item["path"] for source in sources for item in source["secret"]["items"]}
if database:
    assert "url" not in settings["ledger"] and not data and "volumeClaimTemplates" not in workload, "two ledgers"
    assert variables["PO_WEBHOOK_LEDGER__URL_FILE"].removeprefix(PLACE) in mounted_secrets, "the database's URL is not mounted"
else:
    assert settings["ledger"]["url"].startswith("sqlite:" + data[0]), "the ledger is not on the volume"
if "targetClientSecret" in values["secrets"]:
    assert variables["PO_WEBHOOK_TARGET__OAUTH2__CLIENT_SECRET_FILE"].removeprefix(PLACE) in mounted_secrets, "no client secret"
else:
    assert "PO_WEBHOOK_TARGET__OAUTH2__CLIENT_SECRET_FILE" not in variables, "the service would refuse a secret that it does not use"
for given in values["secrets"].get("settings", []):
    variable = f"PO_WEBHOOK_{given['setting'].upper().replace('.', '__')}_FILE"
    assert variables[variable].removeprefix(PLACE) in mounted_secrets, f"{given['setting']} is not mounted"
for text in yaml.safe_dump(settings, default_flow_style=True, width=10**6).replace(",", " ").replace("}", " ").split():
    assert not text.startswith(PLACE) or text.removeprefix(PLACE) in mounted_secrets, f"{text} is not mounted"

files = values.get("mapping", {}).get("files", {})
volume = [v["configMap"] for v in pod["volumes"] if v["name"] == "mapping"]
if files:
    content = only("ConfigMap", "-mapping")["data"]
    mounted = {item["path"]: content[item["key"]] for item in volume[0]["items"]}
    assert mounted == files, "the mounted mapping is not the given one"
    assert len({item["key"] for item in volume[0]["items"]}) == len(files), "two files have one key"
    assert settings["mapping"]["directory"] in [m["mountPath"] for m in container["volumeMounts"] if m["name"] == "mapping"]
else:
    assert not volume, "an empty mapping hides the image's own"

scheme = "https" if "tls" in settings["server"] else "http"
for asked in only("Pod", "-test")["spec"]["containers"]:
    [command, option, url] = asked["args"]
    assert (command, option) == ("healthcheck", "--url")
    name, port = url.removeprefix("http://").split("/")[0].split(":")
    ports = {str(p["port"]) for s in all_of("Service", "") if s["metadata"]["name"] == name.split(".")[0] for p in s["spec"]["ports"]}
    assert port in ports, f"{url} is no Service's"
    assert url.startswith("http://") and (":9090/" in url or scheme == "http"), f"asks {url} without TLS"
