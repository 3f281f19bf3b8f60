// Sends a message with nodemailer, and prints what came of it as JSON.
//
//     node nodemailer.mjs '{"host": ..., "port": ..., "secure": ..., "auth": {...}}' '{"from": ...}'

import { createTransport } from "nodemailer";

const [options, message] = process.argv.slice(2).map((argument) => JSON.parse(argument));
const transport = createTransport(options);
const outcome = {};
try {
    outcome.reply = (await transport.sendMail(message)).response;
} catch (error) {
    outcome.refusal = error.response ?? error.message;
}
transport.close();
console.log(JSON.stringify(outcome));
