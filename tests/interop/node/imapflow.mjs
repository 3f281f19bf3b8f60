// Reads the first message of the inbox with imapflow, and prints what came of it as JSON.
//
//     node imapflow.mjs '{"host": ..., "port": ..., "secure": ..., "auth": {...}}'

import { ImapFlow } from "imapflow";

const client = new ImapFlow({ ...JSON.parse(process.argv[2]), logger: false });
const outcome = {};
try {
    await client.connect();
    const lock = await client.getMailboxLock("INBOX", { readOnly: true });
    const message = await client.fetchOne("1", { source: true });
    outcome.content = message.source.toString("base64");
    lock.release();
    await client.logout();
} catch (error) {
    outcome.refusal = error.responseText ?? error.message;
    outcome.document = error.oauthError;
}
console.log(JSON.stringify(outcome));
