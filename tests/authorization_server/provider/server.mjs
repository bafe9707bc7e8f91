// A real OAuth 2.0 authorization server for the integration tests: `node server.mjs CONFIG.json`.
// Prints {"issuer":"https://127.0.0.1:PORT"} when it is ready, and ends with its standard input.

import { X509Certificate, generateKeyPair, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { promisify } from 'node:util';

// Standard output is for the ready line alone.
console.log = console.error;
console.info = console.error;

const { Provider, errors } = await import('oidc-provider');

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const lifetime = config.lifetime ?? 600;

const DEFAULT_RESOURCE = 'https://vms.example/';
const OWN_RESOURCE = 'https://purchase-order-webhook.example';

function ownResource(format) {
  return {
    audience: config.resourceAudience,
    scope: 'purchase-orders.write purchase-orders.read purchase-orders.operate',
    accessTokenTTL: lifetime,
    ...format,
  };
}

const resources = new Map([
  [`${OWN_RESOURCE}/rs256`, ownResource({ accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } })],
  [`${OWN_RESOURCE}/es256`, ownResource({ accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } })],
  [`${OWN_RESOURCE}/opaque`, ownResource({ accessTokenFormat: 'opaque' })],
  [DEFAULT_RESOURCE, { scope: 'orders', accessTokenTTL: lifetime, accessTokenFormat: 'opaque' }],
]);

function client(id, method, metadata) {
  return {
    client_id: id,
    token_endpoint_auth_method: method,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    ...metadata,
  };
}

function certificateKey(path) {
  const certificate = new X509Certificate(readFileSync(path));
  return { ...certificate.publicKey.export({ format: 'jwk' }), x5c: [certificate.raw.toString('base64')] };
}

// Each proves itself in another way.
const introspectors = ['introspector', 'webhook-key', 'webhook-mtls'];

const clients = [
  client('srm7', 'client_secret_basic', { client_secret: 'srm7-secret' }),
  client('srm7-bound', 'self_signed_tls_client_auth', {
    jwks: { keys: [certificateKey(config.selfSignedCertificate)] },
    tls_client_certificate_bound_access_tokens: true,
  }),
  client('webhook-basic', 'client_secret_basic', { client_secret: 'webhook-secret' }),
  client('webhook-post', 'client_secret_post', { client_secret: 'webhook-secret' }),
  client('webhook-key', 'private_key_jwt', {
    jwks: { keys: [config.clientJwk] },
    token_endpoint_auth_signing_alg: config.clientJwk.alg ?? (config.clientJwk.kty === 'EC' ? 'ES256' : 'RS256'),
  }),
  client('webhook-mtls', 'tls_client_auth', { tls_client_auth_subject_dn: config.mtlsSubjectDn }),
  client('introspector', 'client_secret_basic', { client_secret: 'introspector-secret' }),
];

// What the provider keeps outlives a rotation of the keys.
const stored = new Map();

class Memory {
  constructor(model) {
    this.model = model;
  }

  key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload) {
    stored.set(this.key(id), payload);
  }

  async find(id) {
    return stored.get(this.key(id));
  }

  async destroy(id) {
    stored.delete(this.key(id));
  }
}

// RFC 4514 names the most specific part first, a certificate's subject lists it last.
function subjectName(certificate) {
  return certificate.subject.split('\n').reverse().join(',');
}

function normalized(name) {
  return name.split(/(?<!\\),\s*/).join(',');
}

const mTLS = {
  enabled: true,
  certificateBoundAccessTokens: true,
  selfSignedTlsClientAuth: true,
  tlsClientAuth: true,
  getCertificate: (ctx) => ctx.req.socket.getPeerX509Certificate(),
  certificateAuthorized: (ctx) => ctx.req.socket.authorized,
  certificateSubjectMatches: (ctx, property, expected) => property === 'tls_client_auth_subject_dn'
    && subjectName(ctx.req.socket.getPeerX509Certificate()) === normalized(expected),
};

const generate = promisify(generateKeyPair);

async function signingKeys() {
  const pairs = await Promise.all([
    generate('rsa', { modulusLength: 2048 }),
    generate('ec', { namedCurve: 'P-256' }),
  ]);
  return pairs.map(({ privateKey }, at) => ({
    ...privateKey.export({ format: 'jwk' }),
    alg: ['RS256', 'ES256'][at],
    kid: randomUUID(),
    use: 'sig',
  }));
}

async function handlerFor(issuer) {
  const provider = new Provider(issuer, {
    adapter: Memory,
    clients,
    clientAuthMethods: [
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      'tls_client_auth',
      'self_signed_tls_client_auth',
    ],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: (ctx, caller) => introspectors.includes(caller.clientId) },
      mTLS,
      resourceIndicators: {
        enabled: true,
        defaultResource: () => DEFAULT_RESOURCE,
        getResourceServerInfo: (ctx, resource) => {
          if (!resources.has(resource)) throw new errors.InvalidTarget();
          return resources.get(resource);
        },
      },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
    },
    jwks: { keys: await signingKeys() },
    scopes: ['openid'],
    ttl: { ClientCredentials: lifetime },
  });
  for (const event of ['grant.error', 'introspection.error', 'revocation.error', 'server_error']) {
    provider.on(event, (ctx, error) => console.error(event, error.error_detail ?? error.error_description ?? error));
  }
  return provider.callback();
}

const counted = new Map([['/jwks', 'jwks'], ['/token', 'token'], ['/token/introspection', 'introspection']]);
const counts = { jwks: 0, token: 0, introspection: 0 };

let handler;

async function answer(request, response) {
  const [path] = request.url.split('?');
  if (request.method === 'POST' && path === '/test/rotate') {
    handler = await handlerFor(issuer);
    response.writeHead(204).end();
  } else if (request.method === 'GET' && path === '/test/counts') {
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(counts));
  } else {
    if (counted.has(path)) counts[counted.get(path)] += 1;
    await handler(request, response);
  }
}

const server = createServer({
  cert: readFileSync(config.certificate),
  key: readFileSync(config.key),
  ca: readFileSync(config.clientCa),
  requestCert: true,
  rejectUnauthorized: false,
  keepAliveTimeout: 60_000,
}, answer);

await new Promise((ready) => { server.listen(config.port ?? 0, '127.0.0.1', ready); });
const issuer = `https://127.0.0.1:${server.address().port}`;
handler = await handlerFor(issuer);

process.on('SIGTERM', () => process.exit(0));
for (const event of ['end', 'close', 'error']) process.stdin.on(event, () => process.exit(0));
process.stdin.resume();

process.stdout.write(`${JSON.stringify({ issuer })}\n`);
