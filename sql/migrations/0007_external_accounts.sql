-- People who sign in at a provider: what it calls them, which never changes. Their names and addresses may.

ALTER TABLE user_account ADD COLUMN issuer text, ADD COLUMN subject text, ADD UNIQUE (issuer, subject);
