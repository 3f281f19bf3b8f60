BEGIN TRANSACTION;
CREATE TABLE accounts (
	name TEXT NOT NULL, 
	password_hash TEXT, 
	enabled BOOLEAN NOT NULL, 
	password_rule TEXT, 
	created FLOAT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "accounts" VALUES('alice@example.test',NULL,1,NULL,1.0);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE app_passwords (
	identifier TEXT NOT NULL, 
	account TEXT NOT NULL, 
	name TEXT NOT NULL, 
	digest BLOB, 
	imported TEXT, 
	services TEXT NOT NULL, 
	read_only BOOLEAN NOT NULL, 
	created FLOAT NOT NULL, 
	expires FLOAT, 
	networks TEXT NOT NULL, 
	last_used FLOAT, 
	last_service TEXT, 
	last_address TEXT, 
	last_mail_client TEXT, 
	PRIMARY KEY (identifier), 
	FOREIGN KEY(account) REFERENCES accounts (name) ON DELETE CASCADE
);
INSERT INTO "app_passwords" VALUES('phone','alice@example.test','a phone',X'0101010101010101010101010101010101010101010101010101010101010101',NULL,'imap',0,2.0,NULL,'192.0.2.0/24',3.0,'imap','192.0.2.1',NULL);
CREATE TABLE revocations (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	tag TEXT NOT NULL, 
	at FLOAT NOT NULL, 
	reason TEXT
);
INSERT INTO "revocations" VALUES(1,'app-password:laptop',1800000000.0,'This app password was revoked.');
CREATE TABLE signing_keys (
	kid TEXT NOT NULL, 
	algorithm TEXT NOT NULL, 
	private_pem BLOB NOT NULL, 
	created FLOAT NOT NULL, 
	retired FLOAT, 
	PRIMARY KEY (kid)
);
INSERT INTO "signing_keys" VALUES('a key','ES256',X'612070726976617465206B6579',4.0,NULL);
CREATE INDEX app_passwords_account ON app_passwords (account);
CREATE UNIQUE INDEX app_passwords_digest ON app_passwords (digest);
CREATE INDEX revocations_at ON revocations (at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('revocations',1);
COMMIT;
