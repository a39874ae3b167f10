// SPDX-License-Identifier: Apache-2.0
/* account - the one who is signed in: password, tokens, and where else they are signed in. */
import { useContext, useState } from "react";
import { agent_name } from "../lib/access.ts";
import { api_send, ApiError, V1 } from "../lib/api.ts";
import { useFetch } from "../lib/live.ts";
import { MeContext } from "../lib/me.ts";
import { Dialog, ErrorBox, Loaded, Panel, toast, toast_error } from "../parts/basics.tsx";
import { When } from "../parts/clock.tsx";
import { PageHead, useTitle } from "../parts/head.tsx";
import { Tokens } from "../parts/tokens.tsx";

interface Session { id: number; kind: string; address: string; agent: string; created_at: number; seen_at: number; expires_at: number; is_current: boolean }

function Sessions() {
  const list = useFetch<{ sessions: Session[] }>(`${V1}/sessions`);
  const end = (id: number) => void api_send("DELETE", `${V1}/sessions/${id}`).then(() => { toast("Signed out there."); list.refetch(); }, toast_error);
  return (
    <Panel flush title="Signed in">
      <Loaded from={list} rows={3}>{(data) => (
        <div className="scroll-x" tabIndex={0} role="group" aria-label="Sessions"><table className="table">
          <thead><tr><th>With</th><th>From</th><th>Last seen</th><th className="phone-off">Since</th><th className="phone-off">Ends</th><th><span className="visually-hidden">Actions</span></th></tr></thead>
          <tbody>{data.sessions.map((s) => (
            <tr key={s.id}>
              <td className="strong" title={s.agent}>{agent_name(s.agent)}{s.kind === "token" && <span className="tag">API</span>}</td><td className="mono">{s.address}</td>
              <td><When at={s.seen_at} relative /></td><td className="phone-off"><When at={s.created_at} /></td><td className="phone-off"><When at={s.expires_at} /></td>
              <td className="right">{s.is_current ? <span className="muted">this one</span> : <button className="button small quiet" onClick={() => end(s.id)} aria-label={`Sign out ${agent_name(s.agent)} at ${s.address}`}>Sign out</button>}</td>
            </tr>
          ))}</tbody>
        </table></div>
      )}</Loaded>
    </Panel>
  );
}

function PasswordDialog({ onClose }: { onClose: () => void }) {
  const [current, set_current] = useState("");
  const [next, set_next] = useState("");
  const [again, set_again] = useState("");
  const [error, set_error] = useState<ApiError | null>(null);
  const differs = again !== "" && next !== again;
  const submit = async () => {
    try {
      await api_send("POST", `${V1}/me/password`, { current, password: next });
      location.assign("/"); // every session has ended, this one too
    } catch (e) { set_error(e as ApiError); }
  };
  return (
    <Dialog title="Change my password" onClose={onClose} footer={<><button className="button" onClick={onClose}>Cancel</button><button className="button primary" disabled={!current || next.length < 12 || next !== again} onClick={() => void submit()}>Change password</button></>}>
      {error && <ErrorBox error={error} />}
      <p>You are signed out everywhere, here too. Tokens stay.</p>
      <div className="field"><label htmlFor="password-now">Present password</label><input id="password-now" className="input" type="password" autoComplete="current-password" autoFocus value={current} onChange={(e) => set_current(e.target.value)} /></div>
      <div className="field"><label htmlFor="password-new">New password</label><input id="password-new" className="input" type="password" autoComplete="new-password" value={next} onChange={(e) => set_next(e.target.value)} /><span className="hint">At least 12 letters.</span></div>
      <div className="field"><label htmlFor="password-again">Once more</label><input id="password-again" className="input" type="password" autoComplete="new-password" aria-invalid={differs || undefined} value={again} onChange={(e) => set_again(e.target.value)} />{differs && <span className="problem" role="alert">The two differ.</span>}</div>
    </Dialog>
  );
}

export default function Account() {
  const me = useContext(MeContext)!;
  const [changing, set_changing] = useState(false);
  useTitle("My account");
  return (
    <>
      <PageHead title={<h1>{me.username}</h1>} meta={<><span>Role <b>{me.role}</b></span>{me.grants?.map((g) => <span key={g.dags}><b>{g.level}</b> on <code>{g.dags}</code></span>)}</>}
        actions={me.has_password !== false && <button className="button" onClick={() => set_changing(true)}>Change password</button>} />
      <Tokens path={`${V1}/tokens`} />
      <Sessions />
      {changing && <PasswordDialog onClose={() => set_changing(false)} />}
    </>
  );
}
