// What the tests ask of Thunderbird, each a function of its own. They run inside it, with all of
// its rights, and do what its windows do when somebody clicks.

const { AddonManager } = ChromeUtils.importESModule("resource://gre/modules/AddonManager.sys.mjs");
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { OAuth2 } = ChromeUtils.importESModule("resource:///modules/OAuth2.sys.mjs");
const { OAuth2Module } = ChromeUtils.importESModule("resource:///modules/OAuth2Module.sys.mjs");

const IMPLICIT_TLS = Ci.nsMsgSocketType.SSL;
const OAUTH = Ci.nsMsgAuthMethod.OAuth2;
const PASSWORD = Ci.nsMsgAuthMethod.passwordCleartext;
const INBOX = Ci.nsMsgFolderFlags.Inbox;

async function until(condition) {
  let found;
  while (!(found = await condition())) {
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  return found;
}

// Keeps a promise when Thunderbird says that something has ended, and how.
function listen() {
  const { promise, resolve, reject } = Promise.withResolvers();
  function stopped(status) {
    if (status) {
      reject(new Error(`0x${(status >>> 0).toString(16)}`));
    } else {
      resolve();
    }
  }
  return {
    promise,
    QueryInterface: ChromeUtils.generateQI(["nsIUrlListener", "nsIMsgCopyServiceListener"]),
    OnStartRunningUrl() {},
    OnStopRunningUrl(url, status) { stopped(status); },
    onStartCopy() {},
    onProgress() {},
    setMessageKey() {},
    getMessageId() { return null; },
    onStopCopy(status) { stopped(status); },
  };
}

function make(contract, type) {
  return Cc[`@mozilla.org/${contract};1`].createInstance(Ci[type]);
}

async function remember(protocol, name, secret) {
  const origin = `${protocol}://mail.localhost`;
  const login = make("login-manager/loginInfo", "nsILoginInfo");
  login.init(origin, null, origin, name, secret, "", "");
  await Services.logins.addLoginAsync(login);
}

function addIncoming(protocol, name, port) {
  const server = MailServices.accounts.createIncomingServer(name, "mail.localhost", protocol);
  server.port = port;
  server.socketType = IMPLICIT_TLS;
  server.authMethod = PASSWORD;
  const account = MailServices.accounts.createAccount();
  account.incomingServer = server;
  const identity = MailServices.accounts.createIdentity();
  identity.email = name;
  account.addIdentity(identity);
  MailServices.accounts.defaultAccount = account;
  return server;
}

const account = () => MailServices.accounts.defaultAccount;
const inbox = () => account().incomingServer.rootFolder.getFolderWithFlags(INBOX);
const header = (folder, id) => [...folder.messages].find(each => each.messageId == id);

const mainWindow = () => Services.wm.getMostRecentWindow("mail:3pane");

// What the account hub shows.
const hub = selector => mainWindow().document.querySelector("account-hub-container")
  ?.shadowRoot?.querySelector(selector);

// The button that goes on from there, as soon as it does.
const forward = () => until(() => hub("account-hub-email account-hub-footer #forward:enabled"));

async function getNewMessages() {
  const listener = listen();
  account().incomingServer.getNewMessages(inbox(), null, listener);
  await listener.promise;
}

// What some elements of the window look like, with a margin, when they change no more: a PNG in
// base64, in which everything is twice as large.
async function draw(elements, margin, left = 0, top = 0) {
  const window = mainWindow();
  const canvas = window.document.createElementNS("http://www.w3.org/1999/xhtml", "canvas");
  let drawn, before;
  do {
    await new Promise(resolve => setTimeout(resolve, 500));
    const places = elements.map(each => each.getBoundingClientRect());
    const x = Math.min(...places.map(each => each.left)) - margin;
    const y = Math.min(...places.map(each => each.top)) - margin;
    const width = Math.max(...places.map(each => each.right)) + margin - x;
    const height = Math.max(...places.map(each => each.bottom)) + margin - y;
    const part = new window.DOMRect(left + x, top + y, width, height);
    const shot = await window.browsingContext.currentWindowGlobal.drawSnapshot(part, 2, "white");
    [canvas.width, canvas.height] = [shot.width, shot.height];
    canvas.getContext("2d").drawImage(shot, 0, 0);
    [before, drawn] = [drawn, canvas.toDataURL()];
  } while (drawn != before);
  return drawn.split(",")[1];
}

const functions = {
  async addIMAP(name, secret, imapPort, smtpPort) {
    await remember("imap", name, secret);
    await remember("smtp", name, secret);
    const server = addIncoming("imap", name, imapPort).QueryInterface(Ci.nsIImapIncomingServer);
    // Nothing is kept: what is asked for is fetched, and big messages piece by piece.
    server.offlineDownload = false;
    server.autoSyncOfflineStores = false;
    const smtp = MailServices.outgoingServer.createServer("smtp").QueryInterface(Ci.nsISmtpServer);
    smtp.hostname = "mail.localhost";
    smtp.port = smtpPort;
    smtp.socketType = IMPLICIT_TLS;
    smtp.authMethod = PASSWORD;
    smtp.username = name;
    const identity = account().defaultIdentity;
    identity.smtpServerKey = smtp.key;
    identity.doFcc = true;
    identity.fccFolderURI = `${server.serverURI}/Sent`;
    server.performExpand(null);
    await until(inbox);
    await getNewMessages();
  },

  async addPOP3(name, secret, port) {
    MailServices.accounts.createLocalMailAccount();
    await remember("mailbox", name, secret);
    const server = addIncoming("pop3", name, port).QueryInterface(Ci.nsIPop3IncomingServer);
    server.leaveMessagesOnServer = true;
    await functions.getPOP3();
  },

  async getPOP3() {
    const listener = listen();
    MailServices.pop3.GetNewMail(null, listener, inbox(), account().incomingServer);
    await listener.promise;
  },

  // As "Install Add-on From File" does.
  async install(path) {
    const { FileUtils } = ChromeUtils.importESModule("resource://gre/modules/FileUtils.sys.mjs");
    const file = new FileUtils.File(path);
    const install = await AddonManager.getInstallForFile(file, "application/x-xpinstall");
    await install.install();
  },

  // Until an add-on is there that nobody installed, and what somebody may do about it.
  async installed(id) {
    const addOn = await until(() => AddonManager.getAddonByID(id));
    await until(() => addOn.isActive);
    return ["PERM_CAN_DISABLE", "PERM_CAN_UNINSTALL"].filter(
      each => addOn.permissions & AddonManager[each]
    );
  },

  // The version that the add-on manager would update to.
  async update(id) {
    const addOn = await AddonManager.getAddonByID(id);
    const { promise, resolve } = Promise.withResolvers();
    let version = addOn.version;
    addOn.findUpdates(
      {
        onUpdateAvailable(found, install) { version = install.version; },
        onUpdateFinished(found, status) { resolve(status); },
      },
      AddonManager.UPDATE_WHEN_USER_REQUESTED
    );
    const status = await promise;
    if (status) {
      throw new Error(`finding updates ended with ${status}`);
    }
    return version;
  },

  // The account hub, as somebody goes through it who types a name and an address: to the servers
  // that it finds,
  async typeAddress(name, address) {
    const window = mainWindow();
    await until(() => window.openAccountHub);
    await window.openAccountHub("MAIL");
    const step = await until(() => hub("email-auto-form:not([hidden])"));
    for (const [field, value] of [["#realName", name], ["#email", address]]) {
      const input = await until(() => step.querySelector(field));
      input.value = value;
      input.dispatchEvent(new window.Event("input", { bubbles: true }));
    }
  },

  async findServers() {
    (await forward()).click();
    await until(() => hub("email-config-found:not([hidden])"));
  },

  // from there to where he has to sign in,
  async connect(protocol) {
    // It opens no browser twice within three seconds. People are slower than that.
    OAuth2.clearState();
    const choice = await until(() => hub(`email-config-found #${protocol}:not([hidden]) input`));
    choice.click();
    (await forward()).click();
  },

  // and when he has, to the end,
  async connected(address) {
    await until(() => ["email-added-success", "email-sync-accounts-form"].some(
      step => hub(`${step}:not([hidden])`)
    ));
    await functions.choose(address);
    const outgoing = MailServices.outgoingServer.getServerByIdentity(account().defaultIdentity);
    return [account().incomingServer, outgoing].map(each => [
      each.type,
      each.authMethod == OAUTH,
    ]);
  },

  // or to what went wrong. It says nothing of that when POP3 was chosen.
  async refused() {
    const header = hub("email-config-found").shadowRoot.querySelector("account-hub-header");
    const notification = await until(() => header.shadowRoot.querySelector(
      "#emailFormNotification.error"
    ));
    return notification.innerText;
  },

  // Everything else is about this account.
  async choose(address) {
    const accounts = MailServices.accounts;
    accounts.defaultAccount = accounts.accounts.find(
      each => each.defaultIdentity?.email == address
    );
  },

  async logins() {
    return (await Services.logins.getAllLogins()).map(
      each => [each.origin, each.httpRealm, each.username, each.password]
    );
  },

  async fetch() {
    await until(inbox);
    await getNewMessages();
  },

  // Until its access token is good for less than so many seconds.
  async expiry(seconds) {
    const module = new OAuth2Module();
    module.initFromMail(account().incomingServer);
    await until(() => module._oauth.tokenExpires - Date.now() < seconds * 1000);
  },

  // As after the network was away: log in anew.
  async reconnect() {
    account().incomingServer.QueryInterface(Ci.nsIImapIncomingServer).closeCachedConnections();
    await getNewMessages();
  },

  async subjects() {
    return [...inbox().messages].map(each => each.mime2DecodedSubject);
  },

  async arrival(id) {
    await until(() => header(inbox(), id));
  },

  async octets(id) {
    const message = header(inbox(), id);
    const uri = message.folder.getUriForMsg(message);
    const { promise, OnStopRunningUrl } = listen();
    const pieces = [];
    const listener = {
      QueryInterface: ChromeUtils.generateQI(["nsIStreamListener"]),
      onStartRequest() {},
      onDataAvailable(request, stream, offset, count) {
        const input = make("binaryinputstream", "nsIBinaryInputStream");
        input.setInputStream(stream);
        pieces.push(input.readBytes(count));
      },
      onStopRequest: OnStopRunningUrl,
    };
    const service = MailServices.messageServiceFromURI(uri);
    service.streamMessage(uri, listener, null, null, false, "", false);
    await promise;
    return btoa(pieces.join(""));
  },

  async show(id) {
    const tabs = mainWindow().document.getElementById("tabmail");
    const pane = tabs.currentAbout3Pane;
    pane.displayFolder(inbox().URI);
    await until(() => pane.gDBView?.msgFolder == inbox());
    const message = header(inbox(), id);
    pane.threadTree.selectedIndex = pane.gDBView.findIndexOfMsgHdr(message, true);
    const shown = tabs.currentAboutMessage;
    await until(() => shown.gMessage == message && shown.msgLoaded);
    return shown.getMessagePaneBrowser().contentDocument.body.textContent;
  },

  async send(to, subject, text) {
    const fields = make("messengercompose/composefields", "nsIMsgCompFields");
    Object.assign(fields, { to, subject, body: text });
    const params = make("messengercompose/composeparams", "nsIMsgComposeParams");
    params.type = Ci.nsIMsgCompType.New;
    params.format = Ci.nsIMsgCompFormat.PlainText;
    params.identity = account().defaultIdentity;
    params.composeFields = fields;
    MailServices.compose.OpenComposeWindowWithParams(null, params);
    const compose = () => Services.wm.getMostRecentWindow("msgcompose");
    await until(() => compose()?.composeEditorReady);
    compose().GenericSendMessage(Ci.nsIMsgCompDeliverMode.Now);
    await until(() => !compose());
  },

  async move(id, name) {
    const root = account().incomingServer.rootFolder;
    root.createSubfolder(name, null);
    const target = await until(() => root.subFolders.find(each => each.name == name));
    const listener = listen();
    const messages = [header(inbox(), id)];
    MailServices.copy.copyMessages(inbox(), messages, target, true, listener, null, false);
    await listener.promise;
    await until(() => !header(inbox(), id));
  },

  async search(text) {
    const session = make("messenger/searchSession", "nsIMsgSearchSession");
    session.addScopeTerm(Ci.nsMsgSearchScope.onlineMail, inbox());
    const term = session.createTerm();
    const value = term.value;
    term.attrib = value.attrib = Ci.nsMsgSearchAttrib.Body;
    term.op = Ci.nsMsgSearchOp.Contains;
    value.str = text;
    term.value = value;
    session.appendTerm(term);
    const { promise, resolve } = Promise.withResolvers();
    const found = [];
    session.registerListener({
      QueryInterface: ChromeUtils.generateQI(["nsIMsgSearchNotify"]),
      onNewSearch() {},
      onSearchHit(message) { found.push(message.mime2DecodedSubject); },
      onSearchDone() { resolve(); },
    });
    session.search(null);
    await promise;
    return found;
  },

  // Where an add-on is installed from a file.
  async drawAddOns() {
    const window = mainWindow();
    window.resizeTo(860, 600);
    const page = await window.openAddonsMgr("addons://list/extension");
    const find = selector => page.document.querySelector(selector);
    const button = await until(() => find(".more-options-button"));
    await until(() => button.menuId);
    button.click();
    const menu = await until(() => find("#page-options panel-list:popover-open"));
    await until(() => menu.contains(page.document.activeElement));
    menu.querySelector("[action=install-from-file]").focus();
    const place = page.docShell.chromeEventHandler.getBoundingClientRect();
    // With more around it there would be half of a search field.
    return draw([find(".main-heading"), menu], 7, place.left, place.top);
  },

  // Where an account is added.
  async drawAddress(name, address) {
    mainWindow().resizeTo(560, 720);
    await functions.typeAddress(name, address);
    const step = hub("email-auto-form:not([hidden])");
    const title = step.shadowRoot.querySelector("#title");
    return draw([title, step.querySelector("#email"), await forward()], 16);
  },
};

const [name, parameters, done] = arguments;
functions[name](...parameters).then(
  value => done({ value }),
  error => done({ error: `${error}\n${error.stack}` })
);
