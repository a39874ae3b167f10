// SPDX-License-Identifier: Apache-2.0
/* access - who may do what: accounts, grants on DAGs, and what each role has. */
import { useContext, useState } from "react";
import { api_send, ApiError, V1 } from "../lib/api.ts";
import { useFetch } from "../lib/live.ts";
import { MeContext } from "../lib/me.ts";
import { count } from "../lib/number.ts";
import { Dialog, Empty, ErrorBox, Loaded, Menu, Panel, Tabs, Icon, ICON, toast, toast_error } from "../parts/basics.tsx";
import { When } from "../parts/clock.tsx";
import { PageHead, useTitle } from "../parts/head.tsx";
import { Tokens } from "../parts/tokens.tsx";

interface User { username: string; role: string; email: string | null; created_at: number; last_login_at: number | null; disabled: boolean; has_password: boolean; sessions: number; tokens: number; grants: number }
interface Grant { id: number; username: string | null; role: string | null; dags: string; level: string; created_by: string; created_at: number }
interface Roles { roles: { role: string; rights: string[] }[]; rights: { right: string; role: string }[] }

const ROLES = ["Public", "Viewer", "User", "Op", "Admin"];
const LEVELS = ["Viewer", "User", "Op"];
const TABS = [["users", "Users", "/security"], ["grants", "Grants on DAGs", "/security/grants"], ["roles", "Roles", "/security/roles"]];
const user_url = (name: string) => `${V1}/users/${encodeURIComponent(name)}`;

function Choice({ id, label, value, options, onChange, hint }: { id: string; label: string; value: string; options: string[]; onChange: (value: string) => void; hint?: string }) {
  return <div className="field"><label htmlFor={id}>{label}</label><select id={id} className="select" value={value} onChange={(e) => onChange(e.target.value)}>{options.map((o) => <option key={o}>{o}</option>)}</select>{hint && <span className="hint">{hint}</span>}</div>;
}

/* A form whose answer is an error to show, or the end of the dialog. */
function FormDialog({ title, verb, ready, send, onClose, children }: { title: string; verb: string; ready: boolean; send: () => Promise<unknown>; onClose: (done: boolean) => void; children: React.ReactNode }) {
  const [error, set_error] = useState<ApiError | null>(null);
  const [busy, set_busy] = useState(false);
  const submit = () => {
    set_busy(true);
    send().then(() => onClose(true), (e: ApiError) => { set_error(e); set_busy(false); });
  };
  return (
    <Dialog title={title} onClose={() => onClose(false)} footer={<><button className="button" onClick={() => onClose(false)}>Cancel</button><button className="button primary" disabled={!ready || busy} onClick={submit}>{verb}</button></>}>
      {error && <ErrorBox error={error} />}
      {children}
    </Dialog>
  );
}

/* --- users ------------------------------------------------------------------------------------------------------- */

function NewUser({ onClose }: { onClose: (done: boolean) => void }) {
  const [form, set_form] = useState({ username: "", password: "", role: "Viewer", email: "" });
  const send = () => api_send("POST", `${V1}/users`, { username: form.username, password: form.password, role: form.role, ...(form.email ? { email: form.email } : {}) });
  const input = (key: "username" | "password" | "email", label: string, type: string, complete: string, hint?: string) => (
    <div className="field"><label htmlFor={`user-${key}`}>{label}</label><input id={`user-${key}`} className="input" type={type} autoComplete={complete} value={form[key]} onChange={(e) => set_form({ ...form, [key]: e.target.value })} />{hint && <span className="hint">{hint}</span>}</div>
  );
  return (
    <FormDialog title="New user" verb="Create user" ready={!!form.username && form.password.length >= 12} send={send} onClose={onClose}>
      {input("username", "Name", "text", "off")}
      {input("password", "Password", "password", "new-password", "At least 12 letters. They can change it themselves.")}
      <Choice id="user-role" label="Role" value={form.role} options={ROLES} onChange={(role) => set_form({ ...form, role })} hint="Public sees only what grants show. The page Roles says what each may." />
      {input("email", "E-mail", "email", "off")}
    </FormDialog>
  );
}

function RoleDialog({ user, onClose }: { user: User; onClose: (done: boolean) => void }) {
  const [role, set_role] = useState(user.role);
  return (
    <FormDialog title={`Role of ${user.username}`} verb="Change role" ready={role !== user.role} send={() => api_send("PATCH", user_url(user.username), { role })} onClose={onClose}>
      <Choice id="change-role" label="Role" value={role} options={ROLES} onChange={set_role} hint="Whoever is signed in with the old role is signed out." />
    </FormDialog>
  );
}

function PasswordDialog({ user, onClose }: { user: User; onClose: (done: boolean) => void }) {
  const [password, set_password] = useState("");
  return (
    <FormDialog title={`Password of ${user.username}`} verb="Set password" ready={password.length >= 12} send={() => api_send("POST", `${user_url(user.username)}/password`, { password })} onClose={onClose}>
      <div className="field"><label htmlFor="set-password">New password</label><input id="set-password" className="input" type="password" autoComplete="new-password" autoFocus value={password} onChange={(e) => set_password(e.target.value)} /><span className="hint">At least 12 letters. {user.username} is signed out everywhere.</span></div>
    </FormDialog>
  );
}

function DeleteUser({ user, onClose }: { user: User; onClose: (done: boolean) => void }) {
  const [typed, set_typed] = useState("");
  return (
    <FormDialog title={`Delete ${user.username}`} verb="Delete user" ready={typed === user.username} send={() => api_send("DELETE", user_url(user.username))} onClose={onClose}>
      <p>Sessions, tokens and grants go with the account. What they did stays in the audit log. To keep the account and shut it, disable it.</p>
      <div className="field"><label htmlFor="delete-user">Type <span className="mono">{user.username}</span> to confirm</label><input id="delete-user" className="input mono" autoComplete="off" value={typed} onChange={(e) => set_typed(e.target.value)} /></div>
    </FormDialog>
  );
}

const DIALOGS = { role: RoleDialog, password: PasswordDialog, remove: DeleteUser };

function UserActions({ user, open, patch }: { user: User; open: (what: keyof typeof DIALOGS | "tokens") => void; patch: (method: "PATCH" | "DELETE", path: string, body: unknown, said: string) => void }) {
  return (
    <Menu name={`What can be done with ${user.username}`} label={<Icon d={ICON.more} />} className="button small quiet icon">
      <button onClick={() => open("role")}>Change role…</button>
      <button onClick={() => open("password")}>Set password…</button>
      <button onClick={() => open("tokens")}>Tokens…</button>
      <button disabled={!user.sessions} onClick={() => patch("DELETE", `${user_url(user.username)}/sessions`, undefined, `${user.username} was signed out everywhere.`)}>Sign out everywhere</button>
      <button onClick={() => patch("PATCH", user_url(user.username), { disabled: !user.disabled }, `${user.username} was ${user.disabled ? "enabled" : "disabled"}.`)}>{user.disabled ? "Enable" : "Disable"}</button>
      <hr />
      <button onClick={() => open("remove")}>Delete…</button>
    </Menu>
  );
}

function Users() {
  const me = useContext(MeContext)!;
  const list = useFetch<{ users: User[] }>(`${V1}/users`);
  const [dialog, set_dialog] = useState<{ what: keyof typeof DIALOGS | "tokens"; user: User } | null>(null);
  const [making, set_making] = useState(false);
  const close = (done: boolean) => { set_dialog(null); set_making(false); if (done) list.refetch(); };
  const patch = (method: "PATCH" | "DELETE", path: string, body: unknown, said: string) => void api_send(method, path, body).then(() => { toast(said); list.refetch(); }, toast_error);
  const Opened = dialog && dialog.what !== "tokens" ? DIALOGS[dialog.what] : null;
  return (
    <>
      <Panel flush title="Users" extra={<button className="button small" onClick={() => set_making(true)}>New user</button>}><Loaded from={list}>{(data) => (
        <div className="scroll-x" tabIndex={0} role="group" aria-label="Users"><table className="table">
          <thead><tr><th>Name</th><th>Role</th><th>State</th><th className="phone-off">Last sign-in</th><th className="right phone-off">Sessions</th><th className="right phone-off">Tokens</th><th className="right phone-off">Grants</th><th className="phone-off">Created</th><th><span className="visually-hidden">Actions</span></th></tr></thead>
          <tbody>{data.users.map((u) => (
            <tr key={u.username}>
              <td className="strong">{u.username}{u.username === me.username && <span className="muted"> (you)</span>}{u.email && <div className="muted">{u.email}</div>}</td><td>{u.role}</td>
              <td>{u.disabled ? <span className="bad-text">disabled</span> : "active"}</td><td className="phone-off">{u.last_login_at ? <When at={u.last_login_at} /> : <span className="muted">never</span>}</td>
              <td className="right num phone-off">{count(u.sessions)}</td><td className="right num phone-off">{count(u.tokens)}</td><td className="right num phone-off">{count(u.grants)}</td><td className="phone-off"><When at={u.created_at} /></td>
              <td className="right"><UserActions user={u} open={(what) => set_dialog({ what, user: u })} patch={patch} /></td>
            </tr>
          ))}</tbody>
        </table></div>
      )}</Loaded></Panel>
      {making && <NewUser onClose={close} />}
      {dialog && Opened && <Opened user={dialog.user} onClose={close} />}
      {dialog?.what === "tokens" && <Dialog wide title={`Tokens of ${dialog.user.username}`} onClose={() => close(true)}><Tokens path={`${user_url(dialog.user.username)}/tokens`} /></Dialog>}
    </>
  );
}

/* --- grants ------------------------------------------------------------------------------------------------------ */

function NewGrant({ onClose }: { onClose: (done: boolean) => void }) {
  const users = useFetch<{ users: User[] }>(`${V1}/users`);
  const [form, set_form] = useState({ to: "", dags: "", level: "User" });
  const names = (users.data?.users ?? []).map((u) => u.username);
  const roles = ROLES.slice(0, -1).map((r) => `everybody from ${r} up`);
  const send = () => api_send("POST", `${V1}/grants`, { ...(roles.includes(form.to) ? { role: ROLES[roles.indexOf(form.to)] } : { username: form.to }), dags: form.dags, level: form.level });
  return (
    <FormDialog title="New grant" verb="Grant" ready={!!form.to && !!form.dags} send={send} onClose={onClose}>
      <Choice id="grant-to" label="To" value={form.to} options={["", ...names, ...roles]} onChange={(to) => set_form({ ...form, to })} />
      <div className="field"><label htmlFor="grant-dags">On these DAGs</label><input id="grant-dags" className="input mono" autoComplete="off" value={form.dags} onChange={(e) => set_form({ ...form, dags: e.target.value })} /><span className="hint">One id; a beginning such as finance.*; tag:finance; or * for all.</span></div>
      <Choice id="grant-level" label="They may what a role may" value={form.level} options={LEVELS} onChange={(level) => set_form({ ...form, level })} hint="What somebody is on a DAG is the higher of their role and their grants." />
    </FormDialog>
  );
}

function Grants() {
  const list = useFetch<{ grants: Grant[] }>(`${V1}/grants`);
  const [making, set_making] = useState(false);
  const take_back = (id: number) => void api_send("DELETE", `${V1}/grants/${id}`).then(() => { toast("The grant was taken back."); list.refetch(); }, toast_error);
  return (
    <Panel flush title="Grants" extra={<button className="button small" onClick={() => set_making(true)}>New grant</button>}>
      <Loaded from={list} rows={3}>{(data) => data.grants.length === 0 ? <Empty title="No grants.">A grant lifts a user, or everybody of a role, on some DAGs alone.</Empty> : (
        <div className="scroll-x" tabIndex={0} role="group" aria-label="Grants"><table className="table">
          <thead><tr><th>To</th><th>On</th><th>As</th><th className="phone-off">By</th><th className="phone-off">When</th><th><span className="visually-hidden">Actions</span></th></tr></thead>
          <tbody>{data.grants.map((g) => (
            <tr key={g.id}><td className="strong">{g.username ?? `everybody from ${g.role} up`}</td><td><code>{g.dags}</code></td><td>{g.level}</td><td className="phone-off">{g.created_by}</td><td className="phone-off"><When at={g.created_at} /></td>
              <td className="right"><button className="button small quiet" aria-label={`Take back ${g.level} on ${g.dags}`} onClick={() => take_back(g.id)}>Take back</button></td></tr>
          ))}</tbody>
        </table></div>
      )}</Loaded>
      {making && <NewGrant onClose={(done) => { set_making(false); if (done) list.refetch(); }} />}
    </Panel>
  );
}

/* --- roles ------------------------------------------------------------------------------------------------------- */

function RoleTable() {
  const list = useFetch<Roles>(`${V1}/roles`);
  return (
    <Panel flush title="What each role may"><Loaded from={list}>{(data) => (
      <div className="scroll-x" tabIndex={0} role="group" aria-label="Roles"><table className="table">
        <thead><tr><th>Right</th>{data.roles.map((r) => <th key={r.role}>{r.role}</th>)}</tr></thead>
        <tbody>{data.rights.map(({ right }) => <tr key={right}><td><code>{right}</code></td>{data.roles.map((r) => <td key={r.role}>{r.rights.includes(right) ? <span role="img" aria-label="may">✓</span> : <span className="visually-hidden">may not</span>}</td>)}</tr>)}</tbody>
      </table></div>
    )}</Loaded></Panel>
  );
}

export default function Access({ params }: { params: Record<string, string> }) {
  const tab = params.tab;
  useTitle("Users and access");
  return (
    <>
      <PageHead title={<h1>Users and access</h1>} />
      <Tabs tabs={TABS.map(([id, name, to]) => ({ id, name, to }))} current={tab} />
      {tab === "grants" ? <Grants /> : tab === "roles" ? <RoleTable /> : <Users />}
    </>
  );
}
