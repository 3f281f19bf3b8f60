// npm oidc-provider, as fast as it can be asked to be: one process, no TLS, no ID tokens, and a Map
// for a store, which costs less than the one in memory that it brings along. Says in a line of JSON
// where it listens and what it gave out.
//
//     node provider.mjs CONNECTIONS

import { createRequire } from 'node:module';

// What the tests run against is measured.
const { resolve } = createRequire(new URL('../tests/interop/node/', import.meta.url));
const { generateKeyPair, exportJWK } = await import(resolve('jose'));
const { default: Provider } = await import(resolve('oidc-provider'));

const ACCOUNT = 'u00000@example.test';
const RESOURCE = 'https://mail.example';
const SCOPE = 'urn:ietf:params:oauth:scope:mail';
const SECRET = 's'.repeat(43);

const stored = new Map();

class MapAdapter {
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

  async consume(id) {
    stored.get(this.key(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    stored.delete(this.key(id));
  }
}

async function makeKey() {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'es256-1' };
}

const provider = new Provider('http://localhost', {
  adapter: MapAdapter,
  jwks: { keys: [await makeKey()] },
  clients: [{
    client_id: 'bench',
    client_secret: SECRET,
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
    redirect_uris: ['https://client.example/callback'],
    id_token_signed_response_alg: 'ES256',
  }],
  cookies: { keys: ['unused'] },
  findAccount: (context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  rotateRefreshToken: true,
  scopes: ['openid', 'offline_access'],
  ttl: {
    AccessToken: 3600, ClientCredentials: 3600, Grant: 86400, RefreshToken: 86400,
  },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => RESOURCE,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: SCOPE,
        audience: RESOURCE,
        accessTokenTTL: 3600,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});

async function family(client) {
  const grant = new provider.Grant({ clientId: client.clientId, accountId: ACCOUNT });
  grant.addOIDCScope('offline_access');
  grant.addResourceScope(RESOURCE, SCOPE);
  const common = {
    client,
    accountId: ACCOUNT,
    grantId: await grant.save(),
    gty: 'authorization_code',
    authTime: Math.floor(Date.now() / 1000),
  };
  const refreshToken = new provider.RefreshToken({
    ...common, scope: `offline_access ${SCOPE}`, resource: RESOURCE,
  });
  // It does not introspect those that are signed.
  const accessToken = new provider.AccessToken({ ...common, scope: 'offline_access' });
  return { refreshToken: await refreshToken.save(), accessToken: await accessToken.save() };
}

const client = await provider.Client.find('bench');
const families = [];
for (let number = 0; number < Number(process.argv[2]); number += 1) {
  families.push(await family(client));
}

const server = provider.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({
    ports: { http: server.address().port },
    addresses: {
      token: '/token',
      introspection: '/token/introspection',
      discovery: '/.well-known/openid-configuration',
      keys: '/jwks',
    },
    client: ['bench', SECRET],
    refreshTokens: families.map((each) => each.refreshToken),
    accessTokens: families.map((each) => each.accessToken),
  }));
});
