// Passkeys, which are the one thing here that does not work without a script. It fills in a form and
// sends it.

const place = document.getElementById("passkey");
const button = place.querySelector("button");
const form = button.form;
const alert = document.querySelector("[role=alert]");
const creating = place.classList.contains("create");

function octets(text) {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function base64url(buffer) {
    const binary = String.fromCharCode(...new Uint8Array(buffer));
    return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// The forms of parseCreationOptionsFromJSON() and toJSON(), which not every browser has.

function options() {
    const options = JSON.parse(place.dataset.options);
    options.challenge = octets(options.challenge);
    if (creating) {
        options.user.id = octets(options.user.id);
    }
    for (const list of [options.allowCredentials, options.excludeCredentials]) {
        for (const credential of list ?? []) {
            credential.id = octets(credential.id);
        }
    }
    return options;
}

function written(credential) {
    const { response } = credential;
    const members = { clientDataJSON: base64url(response.clientDataJSON) };
    if (creating) {
        members.attestationObject = base64url(response.attestationObject);
        members.transports = response.getTransports?.() ?? [];
    } else {
        members.authenticatorData = base64url(response.authenticatorData);
        members.signature = base64url(response.signature);
        members.userHandle = response.userHandle ? base64url(response.userHandle) : null;
    }
    return JSON.stringify({
        id: credential.id,
        rawId: base64url(credential.rawId),
        type: credential.type,
        authenticatorAttachment: credential.authenticatorAttachment,
        clientExtensionResults: credential.getClientExtensionResults(),
        response: members,
    });
}

// Once: what a passkey answers is good for one time, and the page is about to go.
function send(credential) {
    form.elements.response.value = written(credential);
    form.removeEventListener("submit", use);
    form.requestSubmit(button);
    form.addEventListener("submit", (event) => event.preventDefault());
}

function say(problem) {
    const paragraph = document.createElement("p");
    paragraph.textContent = problem;
    alert.replaceChildren(paragraph);
}

// The browser offers passkeys in the field of the user name, until the button is used instead.
let offer = new AbortController();

async function offerInField() {
    if (await PublicKeyCredential.isConditionalMediationAvailable?.()) {
        const request = { publicKey: options(), mediation: "conditional", signal: offer.signal };
        navigator.credentials.get(request).then(send, () => {});
    }
}

async function use(event) {
    if (event.submitter !== button) {
        return;
    }
    event.preventDefault();
    offer.abort();
    offer = new AbortController();
    alert.replaceChildren();
    try {
        const request = { publicKey: options(), signal: offer.signal };
        const made = creating ? navigator.credentials.create(request) : navigator.credentials.get(request);
        send(await made);
    } catch (error) {
        const known = creating && error.name === "InvalidStateError";
        say(known ? place.dataset.known : place.dataset.problem);
    }
}

if (window.PublicKeyCredential) {
    place.hidden = false;
    form.addEventListener("submit", use);
    if (creating) {
        form.querySelector(".without").remove();
    } else {
        offerInField();
    }
}
