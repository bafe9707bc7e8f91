// Starts `dev` and validates its catalogues: the configuration and the documents of Open Resource Discovery by the specification's own
// schemas, and the API catalogue by the rules of RFC 9264 §4.2. Argument: the program.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const Ajv = require("ajv").default;
const addFormats = require("ajv-formats").default;

const schemas = "@open-resource-discovery/specification/dist/generated/spec/v1/schemas";
const schema = (name) => JSON.parse(readFileSync(new URL(`node_modules/${schemas}/${name}.schema.json`, import.meta.url)));

// RFC 9264 §4.2: a list of contexts, each with an anchor and lists of targets by their relation.
const LINKSET = {
  type: "object",
  required: ["linkset"],
  additionalProperties: false,
  properties: {
    linkset: {
      type: "array",
      minItems: 1,
      items: {
        type: "object",
        required: ["anchor"],
        minProperties: 2,
        properties: { anchor: { type: "string", format: "uri" } },
        additionalProperties: {
          type: "array",
          minItems: 1,
          items: {
            type: "object",
            required: ["href"],
            properties: { href: { type: "string", format: "uri" }, type: { type: "string" }, title: { type: "string" } },
            additionalProperties: false,
          },
        },
      },
    },
  },
};

// The specification's schemas have keywords of their own, such as x-introduced-in-version.
const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));

function check(name, by, document) {
  const validate = ajv.compile(by);
  if (!validate(document)) throw new Error(`${name}: ${ajv.errorsText(validate.errors, { separator: "\n  " })}`);
  console.log(`${name}: valid`);
}

/** The address of the service that `dev` prints once everything runs. */
function started(dev) {
  return new Promise((resolve, reject) => {
    let text = "";
    dev.stdout.on("data", (part) => {
      text += part;
      const address = text.includes("Stop: Ctrl-C") && text.match(/^service {2}(\S+)$/m);
      if (address) resolve(address[1]);
    });
    dev.on("exit", (code) => reject(new Error(`dev ended with ${code}: ${text}`)));
  });
}

const dev = spawn(process.argv[2], ["dev"], { stdio: ["ignore", "pipe", "inherit"] });
try {
  const base = await started(dev);
  const get = async (path) => {
    const answer = await fetch(new URL(path, base));
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.json();
  };
  const configuration = await get("/.well-known/open-resource-discovery");
  check("the configuration of Open Resource Discovery", schema("Configuration"), configuration);
  const documents = configuration.openResourceDiscoveryV1.documents;
  if (documents.length === 0) throw new Error("the configuration names no document");
  for (const { url } of documents) check(`the document ${url}`, schema("Document"), await get(url));
  check("the API catalogue", LINKSET, await get("/.well-known/api-catalog"));
  // A validator that finds nothing would be no proof.
  let found;
  try {
    check("a wrong document", schema("Document"), { openResourceDiscovery: "1.13", packages: [{}] });
  } catch (error) {
    found = error;
  }
  if (!found) throw new Error("the schemas find nothing");
} finally {
  dev.kill();
}
