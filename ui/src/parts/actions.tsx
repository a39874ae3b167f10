// SPDX-License-Identifier: Apache-2.0
/* actions - clear, mark, stop, note, delete. Each shows what it will do before it does it, from the server's dry run. */
import { useEffect, useState } from "react";
import { api_send, ApiError, url_of } from "../lib/api.ts";
import { plural } from "../lib/number.ts";
import { Dialog, ErrorBox, Skeleton, toast, toast_error } from "./basics.tsx";
import { Glyph, StateWord } from "./state.tsx";

export interface Ti { task_id: string; dag_run_id: string; map_index: number; state: string | null }
type TaskRef = string | [string, number];

function summary(list: Ti[]): { task: string; run: string; n: number; states: Map<string, number> }[] {
  const rows = new Map<string, { task: string; run: string; n: number; states: Map<string, number> }>();
  for (const ti of list) {
    const key = `${ti.dag_run_id}\0${ti.task_id}`;
    const row = rows.get(key) ?? { task: ti.task_id, run: ti.dag_run_id, n: 0, states: new Map<string, number>() };
    row.n++;
    row.states.set(ti.state ?? "none", (row.states.get(ti.state ?? "none") ?? 0) + 1);
    rows.set(key, row);
  }
  return [...rows.values()];
}

function TiList({ list }: { list: Ti[] }) {
  const rows = summary(list);
  const many_runs = new Set(rows.map((r) => r.run)).size > 1;
  return (
    <ul className="ti-list" tabIndex={0} aria-label="Task instances concerned">
      {rows.slice(0, 300).map((r) => (
        <li key={r.run + r.task} className="row">
          {[...r.states].map(([state, n]) => <span key={state} className="row tight"><Glyph state={state} label />{r.n > 1 && <span className="num muted">{n}</span>}</span>)}
          <span className="mono clip">{r.task}</span>{many_runs && <span className="muted clip">{r.run}</span>}
        </li>
      ))}
      {rows.length > 300 && <li className="muted">and {rows.length - 300} more</li>}
    </ul>
  );
}

export function ClearDialog({ dag, run, tasks, only_failed, onClose }: { dag: string; run: string; tasks?: TaskRef[]; only_failed?: boolean; onClose: () => void }) {
  const [choice, set_choice] = useState({ only_failed: only_failed ?? !tasks, include_downstream: !!tasks, include_upstream: false, include_past: false, include_future: false });
  const [list, set_list] = useState<Ti[] | null>(null);
  const [error, set_error] = useState<ApiError | null>(null);
  const [busy, set_busy] = useState(false);
  const body = { dag_run_id: run, reset_dag_runs: true, ...(tasks ? { task_ids: tasks } : {}), ...choice };
  const key = JSON.stringify(body);
  useEffect(() => {
    let gone = false;
    api_send<{ task_instances: Ti[] }>("POST", `${url_of.dag2(dag)}/clearTaskInstances`, { ...body, dry_run: true })
      .then((answer) => { if (!gone) { set_list(answer.task_instances); set_error(null); } })
      .catch((e: ApiError) => { if (!gone) set_error(e); });
    return () => { gone = true; };
  }, [key]);
  const submit = async () => {
    set_busy(true);
    try {
      const answer = await api_send<{ total_entries: number }>("POST", `${url_of.dag2(dag)}/clearTaskInstances`, { ...body, dry_run: false });
      toast(`${plural(answer.total_entries, "task instance")} cleared.`);
      onClose();
    } catch (e) {
      set_error(e as ApiError);
      set_busy(false);
    }
  };
  const toggle = (name: keyof typeof choice, text: string) => (
    <label className="check" key={name}><input type="checkbox" checked={choice[name]} onChange={(e) => set_choice({ ...choice, [name]: e.target.checked })} />{text}</label>
  );
  const n = list?.length ?? 0;
  const running = list?.filter((t) => t.state === "running").length ?? 0;
  return (
    <Dialog title={tasks ? `Clear ${tasks.map((t) => (Array.isArray(t) ? `${t[0]}[${t[1]}]` : t)).slice(0, 3).join(", ")}` : "Clear tasks of this run"} onClose={onClose}
      footer={<><button className="button" onClick={onClose}>Cancel</button><button className="button primary" autoFocus disabled={busy || !n} onClick={() => void submit()}>{busy ? "Clearing…" : `Clear ${plural(n, "task")}`}</button></>}>
      <div className="row wrap choices">
        {toggle("only_failed", "Only what failed")}{tasks && toggle("include_downstream", "Downstream too")}{tasks && toggle("include_upstream", "Upstream too")}{tasks && toggle("include_past", "Earlier runs too")}{tasks && toggle("include_future", "Later runs too")}
      </div>
      {error && <ErrorBox error={error} />}
      {list === null && !error ? <Skeleton rows={4} /> : null}
      {list && (n ? <TiList list={list} /> : <p className="muted">Nothing fits: no task here has ended in a way that these choices include.</p>)}
      {running > 0 && <div className="note warn">{plural(running, "running task")} will be stopped first.</div>}
      {n > 0 && <p className="muted">They run again, with their tries counted on; what they wrote as output is forgotten when they start.</p>}
    </Dialog>
  );
}

export function MarkDialog({ dag, run, task, map, onClose }: { dag: string; run: string; task: string; map: number; onClose: () => void }) {
  const [state, set_state] = useState("success");
  const [downstream, set_downstream] = useState(false);
  const [note, set_note] = useState("");
  const [list, set_list] = useState<Ti[] | null>(null);
  const [error, set_error] = useState<ApiError | null>(null);
  const [busy, set_busy] = useState(false);
  const path = url_of.ti2(dag, run, task, map);
  const body = { new_state: state, include_downstream: downstream };
  useEffect(() => {
    let gone = false;
    api_send<{ task_instances: Ti[] }>("PATCH", `${path}/dry_run`, body).then((a) => { if (!gone) { set_list(a.task_instances); set_error(null); } }).catch((e: ApiError) => { if (!gone) set_error(e); });
    return () => { gone = true; };
  }, [state, downstream]);
  const submit = async () => {
    set_busy(true);
    try {
      await api_send("PATCH", path, { ...body, ...(note ? { note } : {}) });
      toast(`${task} is marked ${state}.`);
      onClose();
    } catch (e) {
      set_error(e as ApiError);
      set_busy(false);
    }
  };
  return (
    <Dialog title={`Mark ${task}${map >= 0 ? `[${map}]` : ""}`} onClose={onClose}
      footer={<><button className="button" onClick={onClose}>Cancel</button><button className="button primary" disabled={busy || !list?.length} onClick={() => void submit()}>Mark {plural(list?.length ?? 0, "task")}</button></>}>
      <fieldset className="choices row wrap plain">
        <legend className="visually-hidden">New state</legend>
        {["success", "failed", "skipped"].map((s) => <label key={s} className="check"><input type="radio" name="mark-state" checked={state === s} onChange={() => set_state(s)} /><StateWord state={s} /></label>)}
      </fieldset>
      <label className="check"><input type="checkbox" checked={downstream} onChange={(e) => set_downstream(e.target.checked)} />Downstream too</label>
      <div className="field"><label htmlFor="mark-note">Note (kept in the audit log)</label><input id="mark-note" className="input" value={note} onChange={(e) => set_note(e.target.value)} /></div>
      {error && <ErrorBox error={error} />}
      {list && (list.length ? <TiList list={list} /> : <p className="muted">Nothing would change.</p>)}
    </Dialog>
  );
}

export function RunStateDialog({ dag, run, state, onClose }: { dag: string; run: string; state: "success" | "failed"; onClose: () => void }) {
  const submit = async () => {
    try {
      await api_send("PATCH", `${url_of.run2(dag, run)}?update_mask=state`, { state });
      toast(`Run marked ${state}.`);
      onClose();
    } catch (e) {
      toast_error(e);
    }
  };
  return (
    <Dialog title={state === "failed" ? "Stop this run" : "Mark this run as succeeded"} onClose={onClose}
      footer={<><button className="button" autoFocus onClick={onClose}>Cancel</button><button className={`button ${state === "failed" ? "danger" : "primary"}`} onClick={() => void submit()}>{state === "failed" ? "Stop and mark failed" : "Mark succeeded"}</button></>}>
      <p>{state === "failed" ? "Running tasks get SIGTERM and, after their grace time, SIGKILL. What has not started is skipped." : "Tasks that have not ended are stopped and marked as succeeded."}</p>
      <p className="mono">{run}</p>
    </Dialog>
  );
}

export function NoteDialog({ dag, run, note, onClose }: { dag: string; run: string; note: string | null; onClose: () => void }) {
  const [text, set_text] = useState(note ?? "");
  const submit = async () => {
    try {
      await api_send("PATCH", `${url_of.run2(dag, run)}?update_mask=note`, { note: text || null });
      onClose();
    } catch (e) {
      toast_error(e);
    }
  };
  return (
    <Dialog title="Note on this run" onClose={onClose} footer={<><button className="button" onClick={onClose}>Cancel</button><button className="button primary" onClick={() => void submit()}>Save note</button></>}>
      <textarea className="textarea" rows={5} aria-label="Note" value={text} onChange={(e) => set_text(e.target.value)} autoFocus maxLength={1000} />
    </Dialog>
  );
}

/* Asks for the name to be typed: what this does cannot be taken back. */
export function DeleteDialog({ what, name, path, onClose, onDone }: { what: string; name: string; path: string; onClose: () => void; onDone: () => void }) {
  const [typed, set_typed] = useState("");
  const submit = async () => {
    try {
      await api_send("DELETE", path);
      toast(`${name} was deleted.`);
      onDone();
    } catch (e) {
      toast_error(e);
    }
  };
  return (
    <Dialog title={`Delete ${what}`} onClose={onClose} footer={<><button className="button" onClick={onClose}>Cancel</button><button className="button danger" disabled={typed !== name} onClick={() => void submit()}>Delete {what}</button></>}>
      <p>Its history and logs go with it. This cannot be undone.</p>
      <div className="field"><label htmlFor="delete-name">Type <span className="mono">{name}</span> to confirm</label><input id="delete-name" className="input mono" autoComplete="off" value={typed} onChange={(e) => set_typed(e.target.value)} /></div>
    </Dialog>
  );
}
