// SPDX-License-Identifier: Apache-2.0
/* tokens - personal tokens of one account: made (and shown once), held to rights, DAGs and a time, revoked. */
import { useState } from "react";
import { names_of } from "../lib/access.ts";
import { api_send, ApiError, V1 } from "../lib/api.ts";
import { useFetch } from "../lib/live.ts";
import { copy, Dialog, Empty, ErrorBox, Loaded, Panel, toast, toast_error } from "./basics.tsx";
import { When } from "./clock.tsx";

interface Token { id: number; name: string; username: string; rights: string[]; dags: string[]; created_by: string; created_at: number; last_used_at: number | null; expires_at: number; is_expired: boolean }
interface Right { right: string; role: string }

const SCOPES: [string, string, string][] = [
  ["all", "All that the owner may", "It does what the account may do at the time, no less."],
  ["read", "Only to read", "DAGs, runs, logs, and what else can be read without changing it."],
  ["some", "Only some rights", ""],
];
const DAYS = [7, 30, 90, 365];

function Shown({ token, onClose }: { token: string; onClose: () => void }) {
  return (
    <Dialog title="Your new token" onClose={onClose} footer={<button className="button primary" onClick={onClose}>I have kept it</button>}>
      <p>It is shown this once. Send it as <code>Authorization: Bearer …</code>; whoever has it may do what it may.</p>
      <div className="row"><input className="input mono" readOnly value={token} aria-label="Token" onFocus={(e) => e.target.select()} /><button className="button" autoFocus onClick={() => void copy(token, "Token")}>Copy</button></div>
    </Dialog>
  );
}

function MakeDialog({ path, onClose, onMade }: { path: string; onClose: () => void; onMade: (token: string) => void }) {
  const [name, set_name] = useState("");
  const [days, set_days] = useState(90);
  const [scope, set_scope] = useState("all");
  const [rights, set_rights] = useState<Set<string>>(new Set());
  const [dags, set_dags] = useState("");
  const [error, set_error] = useState<ApiError | null>(null);
  const known = useFetch<{ rights: Right[] }>(`${V1}/roles`);
  const submit = async () => {
    const held = scope === "read" ? { read_only: true } : scope === "some" ? { rights: [...rights] } : {};
    const only = names_of(dags);
    try {
      onMade((await api_send<{ token: string }>("POST", path, { name, expires_in_days: days, ...held, ...(only.length ? { dags: only } : {}) })).token);
    } catch (e) { set_error(e as ApiError); }
  };
  const toggle = (right: string) => { const next = new Set(rights); if (!next.delete(right)) next.add(right); set_rights(next); };
  return (
    <Dialog title="New token" onClose={onClose} footer={<><button className="button" onClick={onClose}>Cancel</button><button className="button primary" disabled={!name || (scope === "some" && !rights.size)} onClick={() => void submit()}>Make token</button></>}>
      {error && <ErrorBox error={error} />}
      <div className="field"><label htmlFor="token-name">Name</label><input id="token-name" className="input" autoFocus autoComplete="off" value={name} onChange={(e) => set_name(e.target.value)} /><span className="hint">What it is for, to know it by: ci, backup, ...</span></div>
      <div className="field"><label htmlFor="token-days">Ends after</label><select id="token-days" className="select" value={days} onChange={(e) => set_days(Number(e.target.value))}>{DAYS.map((n) => <option key={n} value={n}>{n} days</option>)}</select></div>
      <fieldset className="stack tight plain"><legend className="strong">What it may do</legend>
        {SCOPES.map(([id, word, hint]) => <label key={id} className="check"><input type="radio" name="token-scope" checked={scope === id} onChange={() => set_scope(id)} /><span>{word}{hint && <span className="muted"> · {hint}</span>}</span></label>)}
        {scope === "some" && <div className="row wrap">{(known.data?.rights ?? []).map((r) => <label key={r.right} className="check"><input type="checkbox" checked={rights.has(r.right)} onChange={() => toggle(r.right)} /><code>{r.right}</code></label>)}</div>}
      </fieldset>
      <div className="field"><label htmlFor="token-dags">Only these DAGs</label><input id="token-dags" className="input mono" autoComplete="off" value={dags} placeholder="all" onChange={(e) => set_dags(e.target.value)} /><span className="hint">Ids, beginnings such as finance.*, or tag:finance, with blanks between them.</span></div>
    </Dialog>
  );
}

function Row({ token, revoke }: { token: Token; revoke: () => void }) {
  return (
    <tr>
      <td className="strong">{token.name}{token.created_by !== token.username && <div className="muted">made by {token.created_by}</div>}</td>
      <td>{token.rights.length ? token.rights.map((r) => <span key={r}><span className="tag">{r}</span> </span>) : <span className="muted">all its owner may</span>}</td>
      <td className="phone-off">{token.dags.length ? token.dags.map((d) => <span key={d}><span className="tag">{d}</span> </span>) : <span className="muted">all</span>}</td>
      <td className="phone-off">{token.last_used_at ? <When at={token.last_used_at} relative /> : <span className="muted">never</span>}</td>
      <td>{token.is_expired ? <span className="bad-text">ended</span> : <When at={token.expires_at} />}</td>
      <td className="right"><button className="button small quiet" onClick={revoke} aria-label={`Revoke ${token.name}`}>Revoke</button></td>
    </tr>
  );
}

/* `path`: /tokens of the one who is signed in, or /users/NAME/tokens. */
export function Tokens({ path }: { path: string }) {
  const list = useFetch<{ tokens: Token[] }>(path);
  const [making, set_making] = useState(false);
  const [made, set_made] = useState<string | null>(null);
  const [revoked, set_revoked] = useState<Token | null>(null);
  const revoke = async () => {
    try {
      await api_send("DELETE", `${path}/${revoked!.id}`);
      toast(`${revoked!.name} was revoked.`);
      set_revoked(null);
      list.refetch();
    } catch (e) { toast_error(e); }
  };
  return (
    <Panel flush title="Tokens" extra={<button className="button small" onClick={() => set_making(true)}>New token</button>}>
      <Loaded from={list} rows={3}>{(data) => data.tokens.length === 0 ? <Empty title="No tokens.">A token lets a program sign in without a password, with less than all rights and for a time.</Empty> : (
        <div className="scroll-x" tabIndex={0} role="group" aria-label="Tokens"><table className="table">
          <thead><tr><th>Name</th><th>May</th><th className="phone-off">DAGs</th><th className="phone-off">Last used</th><th>Ends</th><th><span className="visually-hidden">Actions</span></th></tr></thead>
          <tbody>{data.tokens.map((t) => <Row key={t.id} token={t} revoke={() => set_revoked(t)} />)}</tbody>
        </table></div>
      )}</Loaded>
      {making && <MakeDialog path={path} onClose={() => set_making(false)} onMade={(token) => { set_making(false); set_made(token); list.refetch(); }} />}
      {made && <Shown token={made} onClose={() => set_made(null)} />}
      {revoked && <Dialog title={`Revoke ${revoked.name}`} onClose={() => set_revoked(null)} footer={<><button className="button" autoFocus onClick={() => set_revoked(null)}>Cancel</button><button className="button danger" onClick={() => void revoke()}>Revoke token</button></>}><p>What uses it is refused from its next request on.</p></Dialog>}
    </Panel>
  );
}
