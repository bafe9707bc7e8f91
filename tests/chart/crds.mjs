// Objects of kinds that Kubernetes itself does not have, by the schemas of their own projects. Arguments: rendered objects as JSON, and
// the folder with the node modules.
import { readFileSync } from "node:fs";

const [, , file, folder] = process.argv;
const models = (name) => import(`${folder}/node_modules/@kubernetes-models/${name}/v1/index.js`);
const { HTTPRoute } = await models("gateway-api/gateway.networking.k8s.io");
const { PrometheusRule, ServiceMonitor } = await models("prometheus-operator/monitoring.coreos.com");
const kinds = { HTTPRoute, PrometheusRule, ServiceMonitor };

for (const object of JSON.parse(readFileSync(file, "utf8"))) {
  const model = new kinds[object.kind](object);
  if (model.apiVersion !== object.apiVersion) throw new Error(`${object.kind} is of ${model.apiVersion}, not ${object.apiVersion}`);
  await model.validate();
}
