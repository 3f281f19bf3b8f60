// A client that is made of openid-client, and of oauth4webapi where it is a resource server. It
// takes one step for each line: {"step": ..., "arguments": [...]} comes in, {"value": ...} or
// {"refusal": {...}} goes out.
//
//     node openidclient.mjs

import { createInterface } from "node:readline";
import * as oauth from "oauth4webapi";
import * as client from "openid-client";

let configuration, key, options, checks, device;

// Signatures are verified although TLS would do.
const execute = [client.enableNonRepudiationChecks];

const authentications = {
    none: () => client.None(),
    client_secret_basic: (secret) => client.ClientSecretBasic(secret),
    client_secret_post: (secret) => client.ClientSecretPost(secret),
    private_key_jwt: () => client.PrivateKeyJwt(key),
};

const described = (tokens) => ({ ...tokens, claims: tokens.claims() });

const steps = {
    async register(issuer, metadata) {
        configuration = await client.dynamicClientRegistration(
            new URL(issuer), metadata, client.None(), { execute },
        );
        return configuration.clientMetadata();
    },

    async discover(issuer, algorithm, metadata, authentication, secret) {
        configuration = await client.discovery(
            new URL(issuer),
            metadata.client_id,
            metadata,
            authentications[authentication](secret),
            { algorithm, execute },
        );
        return configuration.serverMetadata();
    },

    // A key of its own, for private_key_jwt.
    async makeKey() {
        const pair = await crypto.subtle.generateKey(
            { name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"],
        );
        key = pair.privateKey;
        return crypto.subtle.exportKey("jwk", pair.publicKey);
    },

    // From here on tokens are bound to a new key.
    async bind() {
        options = { DPoP: client.getDPoPHandle(configuration, await client.randomDPoPKeyPair()) };
    },

    async begin(parameters, pushed) {
        const verifier = client.randomPKCECodeVerifier();
        checks = { pkceCodeVerifier: verifier, expectedState: client.randomState() };
        const asked = {
            ...parameters,
            state: checks.expectedState,
            code_challenge: await client.calculatePKCECodeChallenge(verifier),
            code_challenge_method: "S256",
        };
        if (parameters.scope.split(" ").includes("openid")) {
            checks.expectedNonce = asked.nonce = client.randomNonce();
            checks.idTokenExpected = true;
            checks.maxAge = parameters.max_age && Number(parameters.max_age);
        }
        if (pushed) {
            return client.buildAuthorizationUrlWithPAR(configuration, asked, options);
        }
        return client.buildAuthorizationUrl(configuration, asked);
    },

    async finish(location) {
        const url = new URL(location);
        return described(
            await client.authorizationCodeGrant(configuration, url, checks, undefined, options),
        );
    },

    async refresh(token) {
        return described(
            await client.refreshTokenGrant(configuration, token, undefined, options),
        );
    },

    async startDevice(parameters) {
        device = await client.initiateDeviceAuthorization(configuration, parameters);
        return device;
    },

    async askForDevice() {
        return client.genericGrantRequest(
            configuration,
            "urn:ietf:params:oauth:grant-type:device_code",
            { device_code: device.device_code },
        );
    },

    async waitForDevice() {
        return described(await client.pollDeviceAuthorizationGrant(configuration, device));
    },

    async askForItself(parameters) {
        return client.clientCredentialsGrant(configuration, parameters);
    },

    async introspect(token) {
        return client.tokenIntrospection(configuration, token);
    },

    async revoke(token) {
        await client.tokenRevocation(configuration, token);
    },

    async userInfo(token, subject) {
        return client.fetchUserInfo(configuration, token, subject, options);
    },

    async logOut(parameters) {
        return client.buildEndSessionUrl(configuration, parameters);
    },

    // As a resource server does (RFC 9068 section 4).
    async validate(token, audience) {
        const headers = { Authorization: `Bearer ${token}` };
        return oauth.validateJwtAccessToken(
            configuration.serverMetadata(), new Request(audience, { headers }), audience,
        );
    },
};

async function take({ step, arguments: given }) {
    try {
        return { value: (await steps[step](...given)) ?? null };
    } catch (error) {
        const { code, message, error: oauthCode, status, cause } = error;
        return { refusal: { code, message, error: oauthCode, status, cause: String(cause) } };
    }
}

for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await take(JSON.parse(line))));
}
