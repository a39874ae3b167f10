-- Of a session that was opened at a provider: what to sign out with there.

ALTER TABLE session ADD COLUMN id_token text;
