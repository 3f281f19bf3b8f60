// Reads the first message of the inbox with node-imap, and prints what came of it as JSON.
//
//     node node-imap.mjs '{"host": ..., "port": ..., "tls": ..., "user": ..., "xoauth2": ...}'

import Imap from "node-imap";

const client = new Imap({ ...JSON.parse(process.argv[2]), tlsOptions: { servername: "localhost" } });
const outcome = {};
client.once("ready", () => {
    client.openBox("INBOX", true, () => {
        const parts = [];
        const fetching = client.seq.fetch("1", { bodies: "" });
        fetching.on("message", (message) => {
            message.on("body", (stream) => stream.on("data", (part) => parts.push(part)));
        });
        fetching.once("end", () => {
            outcome.content = Buffer.concat(parts).toString("base64");
            client.end();
        });
    });
});
client.once("error", (error) => {
    outcome.refusal = error.message;
});
client.once("close", () => console.log(JSON.stringify(outcome)));
client.connect();
