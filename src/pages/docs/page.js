// The docs page: Swagger UI with samples that nobody has sent before, and a token for its calls.
import { accessible, nameControls } from './accessible.js';

const CARTS = '/v2/purchase-orders';

/** The GUIDs of all sample carts, wherever they are in the description. */
function guidsOfCarts(value, found = new Set()) {
  if (value && typeof value === 'object') {
    for (const [name, member] of Object.entries(value)) {
      const guid = /^header$/i.test(name) && member && (member.GUID ?? member.Guid ?? member.guid);
      if (typeof guid === 'string') found.add(guid);
      guidsOfCarts(member, found);
    }
  }
  return found;
}

const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const base64Of = (bytes) => btoa(String.fromCharCode(...bytes));

/** The 16 bytes of a GUID in hex or base64 as SAP writes it, without zeros at its end; nothing for any other text. */
function bytesOf(guid) {
  if (/^[0-9a-f]{32}$/i.test(guid)) return Uint8Array.from(guid.match(/../g), (digits) => parseInt(digits, 16));
  try {
    const bytes = Uint8Array.from(atob(guid), (char) => char.charCodeAt(0));
    if (bytes.length <= 16) return Uint8Array.from({ length: 16 }, (_, at) => bytes[at] ?? 0);
  } catch { /* It is no base64. */ }
  return undefined;
}

/** The description with another GUID for each sample cart: a cart that was sent before would be no new order. */
function withFreshGuids(description) {
  let text = JSON.stringify(description);
  for (const guid of guidsOfCarts(description)) {
    const bytes = bytesOf(guid);
    if (!bytes) continue;
    const fresh = crypto.getRandomValues(new Uint8Array(16));
    const hex = hexOf(bytes);
    for (const [old, replacement] of [
      [guid, /^[0-9a-f]{32}$/.test(guid) ? hexOf(fresh) : /^[0-9A-F]{32}$/.test(guid) ? hexOf(fresh).toUpperCase() : base64Of(fresh)],
      [hex, hexOf(fresh)],
      [base64Of(bytes), base64Of(fresh)],
    ]) {
      text = text.replaceAll(old, replacement);
    }
  }
  return JSON.parse(text);
}

/** Sends the token with every call, as each way in that the description has. */
function authorize(ui, description, token) {
  for (const [name, scheme] of Object.entries(description.components?.securitySchemes ?? {})) {
    if (scheme.type === 'oauth2') {
      const auth = { name, schema: scheme, flow: 'application' };
      ui.authActions.authorizeOauth2({ auth, token: { access_token: token, token_type: 'Bearer' } });
    } else if (scheme.type === 'http' && scheme.scheme.toLowerCase() === 'bearer') {
      ui.preauthorizeApiKey(name, token);
    }
  }
}

/** Asks the token endpoint (RFC 6749 §4.4); the client is in the body, so that the browser asks no preflight. */
async function getToken(form) {
  const fields = new FormData(form);
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: fields.get('client_id'),
    client_secret: fields.get('client_secret'),
    scope: fields.getAll('scope').join(' '),
  });
  if (fields.get('expires_in')) body.set('expires_in', fields.get('expires_in'));
  const url = form.dataset.tokenUrl;
  const response = await fetch(url, { method: 'POST', body }).catch(() => {
    throw new Error(`${url} can't be reached, or does not allow this page to ask (CORS)`);
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok || !answer.access_token) {
    throw new Error(`${response.status} ${answer.error ?? ''} ${answer.error_description ?? ''}`.trim());
  }
  return answer;
}

function report(kind, text) {
  const status = document.getElementById('token-status');
  status.className = kind;
  status.textContent = text;
}

/** What becomes of the forms; without an endpoint there is only the one for a token of the reader's own. */
function connectForms(ui, description) {
  const form = document.getElementById('get-token');
  form?.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      const answer = await getToken(form);
      authorize(ui, description, answer.access_token);
      const lifetime = answer.expires_in === undefined ? '' : `, for ${answer.expires_in} seconds`;
      report('good', `The calls have a token${answer.scope ? ` with ${answer.scope}` : ''}${lifetime}.`);
    } catch (error) {
      report('bad', `No token: ${error.message}`);
    }
  });
  const own = document.getElementById('own-token');
  own.addEventListener('submit', (event) => {
    event.preventDefault();
    authorize(ui, description, new FormData(own).get('token').trim());
    report('good', 'The calls have your token.');
  });
  if (form?.dataset.demo !== undefined) {
    const value = (name) => form.elements[name].value;
    const scopes = Array.from(form.querySelectorAll('[name=scope]'), (box) => box.value);
    ui.initOAuth({ clientId: value('client_id'), clientSecret: value('client_secret'), scopes });
  }
}

/** Swagger UI has a class for its dark colours, and no media query. */
function followColourScheme() {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
  dark.addEventListener('change', apply);
  apply();
}

async function start() {
  followColourScheme();
  nameControls(document.getElementById('swagger-ui'));
  const description = withFreshGuids(await (await fetch('/openapi.json')).json());
  const ui = SwaggerUIBundle({
    spec: description,
    dom_id: '#swagger-ui',
    presets: [SwaggerUIBundle.presets.apis],
    plugins: [accessible],
    // Its colours have too little contrast.
    syntaxHighlight: false,
    layout: 'BaseLayout',
    deepLinking: true,
    displayOperationId: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    defaultModelsExpandDepth: 0,
    validatorUrl: 'none',
    onComplete: () => {
      const send = description.paths[CARTS]?.post;
      // An address that names an operation has its own one opened.
      if (send && location.hash.length < 3) ui.layoutActions.show(['operations', send.tags[0], send.operationId], true);
    },
  });
  connectForms(ui, description);
}

start();
