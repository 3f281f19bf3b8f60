// npm oidc-provider, as an organisation has it that people sign in at: with its own pages, whose
// passwords are anything. The arguments are in one object:
//
//     node issuer.mjs '{"certificate": FILE, "key": FILE, "client": METADATA, "resource": URL}'
//
// It says {"issuer": ...} when it listens, and then answers {"account": ..., "format": ...} with
// {"token": ...}, an access token, line by line.

import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

const SCOPE = "urn:ietf:params:oauth:scope:mail";

const options = JSON.parse(process.argv[2]);
// Its notices are for those who run it.
console.info = () => {};
const say = (members) => console.log(JSON.stringify(members));

const server = createServer({
    cert: readFileSync(options.certificate), key: readFileSync(options.key),
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `https://localhost:${server.address().port}`;

const pair = await crypto.subtle.generateKey(
    { name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"],
);
// What a private key is for it would publish as what the public one is for.
const { key_ops, ...key } = await crypto.subtle.exportKey("jwk", pair.privateKey);

// People are known by their names here, and never called so.
const described = (account) => ({ email: `${account}@example.test`, email_verified: true });
const resource = (format) => ({
    scope: SCOPE,
    audience: options.resource,
    accessTokenTTL: 900,
    accessTokenFormat: format,
    jwt: { sign: { alg: "ES256" } },
});

const provider = new Provider(issuer, {
    clients: [options.client],
    jwks: { keys: [{ ...key, kid: "1", use: "sig", alg: "ES256" }] },
    cookies: { keys: ["of tests"] },
    // Who is told of a logout is on this machine, where it would send nothing by itself.
    fetch: (address, { dispatcher, ...others }) => fetch(address, others),
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    findAccount: (context, accountId) => ({
        accountId, claims: () => ({ sub: accountId, ...described(accountId) }),
    }),
    extraTokenClaims: (context, token) => described(token.accountId),
    // Nobody is asked whether we may know him.
    async loadExistingGrant(context) {
        const { client, session } = context.oidc;
        const grant = new provider.Grant({
            clientId: client.clientId, accountId: session.accountId,
        });
        grant.addOIDCScope("openid profile email");
        await grant.save();
        return grant;
    },
    enabledJWA: { introspectionSigningAlgValues: ["ES256"] },
    features: {
        backchannelLogout: { enabled: true },
        introspection: { enabled: true, allowedPolicy: () => true },
        jwtIntrospection: { enabled: true },
        revocation: { enabled: true },
        resourceIndicators: { enabled: true, getResourceServerInfo: () => resource("opaque") },
    },
});
server.on("request", provider.callback());
say({ issuer });

for await (const line of createInterface({ input: process.stdin })) {
    const { account, format } = JSON.parse(line);
    const client = await provider.Client.find(options.client.client_id);
    const grant = new provider.Grant({ clientId: client.clientId, accountId: account });
    grant.addResourceScope(options.resource, SCOPE);
    const token = new provider.AccessToken({
        client, accountId: account, grantId: await grant.save(), gty: "authorization_code",
        scope: SCOPE,
    });
    token.resourceServer = new provider.ResourceServer(options.resource, resource(format));
    say({ token: await token.save() });
}
