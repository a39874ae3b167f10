// SPDX-License-Identifier: Apache-2.0
// Accounts, grants, tokens and sessions, as docs/api/access.md has them.
const DAY = 86_400_000;
const RANKS = ["Public", "Viewer", "User", "Op", "Admin"];
const RIGHTS = [["read", "Viewer"], ["logs.read", "Viewer"], ["runs.trigger", "User"], ["runs.edit", "User"], ["tasks.edit", "User"], ["dags.edit", "User"], ["dags.delete", "Op"], ["pools.edit", "Op"], ["variables.read", "Op"], ["variables.edit", "Op"], ["connections.read", "Op"], ["connections.edit", "Op"], ["workers.edit", "Op"], ["settings.read", "Op"], ["audit.read", "Op"], ["users.edit", "Admin"]];
const AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";

const now = Date.now();
const user = (username, role, more) => ({ username, role, email: null, created_at: now - 30 * DAY, last_login_at: null, disabled: false, has_password: true, ...more });
const kept = {
  users: [user("ada", "Op", { email: "ada@example.org", last_login_at: now - 4e6 }), user("admin", "Admin", { last_login_at: now - 6e5 }), user("robot", "Public", { has_password: false })],
  grants: [{ id: 1, username: null, role: "Viewer", dags: "tag:demo", level: "User", created_by: "admin", created_at: now - 9 * DAY }],
  views: [{ id: 1, page: "tasks", name: "retried today", query: "try=%3E1", is_default: false }],
  tokens: [{ id: 1, name: "nightly", username: "admin", rights: ["read", "logs.read"], dags: ["etl_daily"], created_by: "admin", created_at: now - 80 * DAY, last_used_at: now - 7e6, expires_at: now + 10 * DAY, is_expired: false }],
  sessions: [
    { id: 7, kind: "browser", address: "127.0.0.1", agent: AGENT, created_at: now - 6e5, seen_at: now, expires_at: now + DAY, is_current: true },
    { id: 5, kind: "browser", address: "10.0.0.9", agent: AGENT.replace("X11; Linux x86_64", "iPhone").replace("Chrome/141.0.0.0 ", ""), created_at: now - 3 * DAY, seen_at: now - 2 * DAY, expires_at: now + DAY, is_current: false },
  ],
};
let next_id = 20;

const told = (u) => ({ ...u, sessions: u.username === "admin" ? kept.sessions.length : 0, tokens: kept.tokens.filter((t) => t.username === u.username).length, grants: kept.grants.filter((g) => g.username === u.username).length });
const problem = (field, msg) => ({ status: 422, body: { detail: [{ loc: ["body", field], msg, type: "value_error" }] } });

function removed(list, at) {
  if (at < 0) return { status: 404, body: { detail: "there is no such thing" } };
  list.splice(at, 1);
  return { status: 204 };
}

function tokens(method, owner, id, body) {
  if (method === "GET") return { status: 200, body: { tokens: kept.tokens.filter((t) => t.username === owner) } };
  if (method === "DELETE") return removed(kept.tokens, kept.tokens.findIndex((t) => t.id === Number(id) && t.username === owner));
  if (kept.tokens.some((t) => t.name === body.name && t.username === owner)) return { status: 409, body: { detail: `${owner} has a token ${body.name} already` } };
  const rights = body.read_only ? RIGHTS.map(([r]) => r).filter((r) => r.endsWith("read")) : body.rights ?? [];
  const token = { id: next_id++, name: body.name, username: owner, rights, dags: body.dags ?? [], created_by: "admin", created_at: Date.now(), last_used_at: null, expires_at: Date.now() + (body.expires_in_days ?? 90) * DAY, is_expired: false };
  kept.tokens.push(token);
  return { status: 201, body: { ...token, token: `headrace_pat_${"x".repeat(43)}` } };
}

function users(method, name, verb, id, body) {
  if (method === "GET" && !name) return { status: 200, body: { users: kept.users.map(told) } };
  if (method === "POST" && !name) {
    if (kept.users.some((u) => u.username === body.username)) return { status: 409, body: { detail: `there is an account ${body.username} already` } };
    kept.users.push(user(body.username, body.role, { email: body.email ?? null, created_at: Date.now() }));
    return { status: 201, body: told(kept.users.at(-1)) };
  }
  const at = kept.users.findIndex((u) => u.username === name);
  if (at < 0) return { status: 404, body: { detail: `there is no user ${name}` } };
  if (verb === "tokens") return tokens(method, name, id, body);
  if (verb) return { status: 204 };
  const is_last = kept.users[at].role === "Admin" && kept.users.filter((u) => u.role === "Admin" && !u.disabled).length === 1;
  if (is_last && (method === "DELETE" || body.disabled || (body.role && body.role !== "Admin"))) return { status: 409, body: { detail: `${name} is the last administrator` } };
  if (method === "DELETE") return removed(kept.users, at);
  Object.assign(kept.users[at], body);
  return { status: 200, body: told(kept.users[at]) };
}

function grants(method, id, body) {
  if (method === "GET") return { status: 200, body: { grants: kept.grants } };
  if (method === "DELETE") return removed(kept.grants, kept.grants.findIndex((g) => g.id === Number(id)));
  if (!/^(\*|tag:.+|[\w.-]+|[\w.-]*[._-]\*)$/.test(body.dags)) return problem("dags", `'${body.dags}' is none of: the id of a DAG; the beginning of ids up to a '.', '_' or '-', and a star; tag:NAME; a star for all`);
  kept.grants.push({ id: next_id++, username: body.username ?? null, role: body.role ?? null, dags: body.dags, level: body.level, created_by: "admin", created_at: Date.now() });
  return { status: 201, body: kept.grants.at(-1) };
}

function views(method, id, body) {
  if (method === "GET") return { status: 200, body: { views: [...kept.views].sort((a, b) => (a.page + a.name < b.page + b.name ? -1 : 1)) } };
  if (method === "DELETE") return removed(kept.views, kept.views.findIndex((v) => v.id === Number(id)));
  const view = kept.views.find((v) => v.id === Number(id)) ?? { id: next_id++, is_default: false };
  const page = body.page ?? view.page;
  if (kept.views.some((v) => v !== view && v.page === page && v.name === body.name)) return { status: 409, body: { detail: `you have a view ${body.name} of this page already: choose another name` } };
  if (body.is_default) for (const v of kept.views) if (v.page === page) v.is_default = false;
  Object.assign(view, body);
  if (!kept.views.includes(view)) kept.views.push(view);
  return { status: method === "POST" ? 201 : 200, body: view };
}

/* Null: none of this. `p` is the path behind /api/headrace/v1. */
export function access(method, p, body) {
  if (p[0] === "users") return users(method, p[1], p[2], p[3], body);
  if (p[0] === "grants") return grants(method, p[1], body);
  if (p[0] === "tokens") return tokens(method, "admin", p[1], body);
  if (p[0] === "sessions") return method === "GET" ? { status: 200, body: { sessions: kept.sessions } } : removed(kept.sessions, kept.sessions.findIndex((s) => s.id === Number(p[1])));
  if (p[0] === "me" && p[1] === "views") return views(method, p[2], body);
  if (p[0] === "me" && p[1] === "password") return body.current === "headrace" ? { status: 204 } : { status: 403, body: { detail: { reason: "password", message: "The present password is another one." } } };
  if (p[0] !== "roles") return null;
  return { status: 200, body: { roles: RANKS.map((role, n) => ({ role, rights: RIGHTS.filter(([, least]) => RANKS.indexOf(least) <= n).map(([right]) => right) })), rights: RIGHTS.map(([right, role]) => ({ right, role })) } };
}
