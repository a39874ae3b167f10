// SPDX-License-Identifier: Apache-2.0
/* user_store - accounts. Passwords come and go as argon2id texts; owner.h makes and checks them. */
#ifndef HEADRACE_USER_STORE_H
#define HEADRACE_USER_STORE_H

#include "common/store/audit_store.h"

struct user_row {
    int32_t user_no;
    struct str name;
    struct str password_hash; /* empty: signs in elsewhere */
    struct str role;          /* "Viewer", "User", "Op", "Admin" */
    bool is_active;
};

/* ERR_NOT_FOUND when there is none of that name. */
void user_read(struct store *store, struct str name,
               void (*on_end)(void *owner, int rc, const struct user_row *user,
                              const struct err *err),
               void *owner);

struct external_user {
    struct str issuer, subject; /* who it is at a provider, for ever */
    struct str name;            /* of a new account */
    struct str role, email;
};

/* The account of somebody who signs in elsewhere, made when there is none; its role becomes theirs.
 * ERR_NOT_FOUND: the name is that of another account. */
void user_external(struct store *store, const struct external_user *user,
                   void (*on_end)(void *owner, int rc, const struct user_row *user,
                                  const struct err *err),
                   void *owner);

/* Signed in just now; `new_hash` (may be empty) replaces the old one, when its cost was out of
 * date. */
void user_seen(struct store *store, int32_t user_no, struct str new_hash);

/* Whether a DAG is to be one of the user's favourites. `was_one`: before this.
 * ERR_NOT_FOUND: there is no such DAG. */
void user_favourite(struct store *store, int32_t user_no, struct str dag_id, bool is_one,
                    void (*on_end)(void *owner, int rc, bool was_one, const struct err *err),
                    void *owner);

/* ERR_EXISTS. */
void user_put(struct store *store, struct str name, struct str password_hash, struct str role,
              struct str email, const struct audit *audit,
              void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

/* Sessions end with the account. ERR_CONFLICT: not there, or the last administrator. */
void user_delete(struct store *store, struct str name, const struct audit *audit,
                 void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

/* What is empty stays as it is; `disabled` is "true", "false" or empty. A changed role, and being
 * disabled, end the sessions. ERR_CONFLICT: not there, or the last administrator. */
void user_change(struct store *store, struct str name, struct str role, struct str disabled,
                 struct str email, const struct audit *audit,
                 void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

/* Ends the user's sessions. ERR_NOT_FOUND. */
void user_password_set(struct store *store, struct str name, struct str password_hash,
                       const struct audit *audit,
                       void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

#endif
