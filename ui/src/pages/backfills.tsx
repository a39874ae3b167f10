// SPDX-License-Identifier: Apache-2.0
/* backfills - runs of dates that have passed: what a backfill would do, how far each is, and how it is held or ended. */
import { useEffect, useState } from "react";
import { api_send, ApiError, V1, V2 } from "../lib/api.ts";
import { useFollow } from "../lib/live.ts";
import { useMayOn } from "../lib/me.ts";
import { count, plural } from "../lib/number.ts";
import { REFETCH } from "../lib/reduce.ts";
import { Link } from "../lib/router.tsx";
import { instant, instant_of_wall, parse_rfc3339 } from "../lib/time.ts";
import { Dialog, Empty, ErrorBox, Loaded, Panel, toast, toast_error } from "../parts/basics.tsx";
import { When } from "../parts/clock.tsx";
import { Meter } from "../parts/state.tsx";

interface Backfill {
  id: number; from: number; to: number; is_paused: boolean; is_backwards: boolean; reprocess: string; max_active_runs: number; triggered_by: string; created_at: number; ended_at: number | null;
  queued: number; running: number; success: number; failed: number; passed_over: number;
}
interface Preview { backfills: { logical_date: string }[]; total_entries: number }
interface BackfillList { seq?: number; backfills: Backfill[] }

const DATES_SHOWN = 200;
const ACTIVE_MS = 5000;
const REPROCESS = [["none", "leave alone"], ["failed", "run again if failed"], ["completed", "run again"]];

/* The days are those of the DAG's own zone, both included: its logical dates fall into them, wherever one looks from. */
function days_between(from: string, to: string, zone: string): { from_date: string; to_date: string } | null {
  const first = instant_of_wall(`${from}T00:00`, zone);
  const last = instant_of_wall(`${to}T23:59`, zone);
  if (first === null || last === null || last < first) return null;
  return { from_date: new Date(first).toISOString(), to_date: new Date(last + 59_999).toISOString() };
}

function conf_of(text: string): Record<string, unknown> | null {
  if (!text.trim()) return {};
  try {
    const conf = JSON.parse(text);
    return conf && typeof conf === "object" && !Array.isArray(conf) ? conf : null;
  } catch {
    return null;
  }
}

/* The first of them: the server names a part of many, and counts all. */
function Dates({ preview, zone }: { preview: Preview; zone: string }) {
  const shown = preview.backfills.slice(0, DATES_SHOWN);
  if (!shown.length) return <p className="muted">No run falls into this range.</p>;
  return (
    <ul className="ti-list" tabIndex={0} aria-label="Dates to be run">
      {shown.map((p) => <li key={p.logical_date} className="num">{instant(parse_rfc3339(p.logical_date)!, zone)}</li>)}
      {preview.total_entries > shown.length && <li className="muted">and {count(preview.total_entries - shown.length)} more</li>}
    </ul>
  );
}

function BackfillDialog({ dag, zone, onClose, onDone }: { dag: string; zone: string; onClose: () => void; onDone: () => void }) {
  const [form, set_form] = useState({ from: "", to: "", max: "10", behaviour: "none", backwards: false, conf: "" });
  const [preview, set_preview] = useState<Preview | null>(null);
  const [error, set_error] = useState<ApiError | null>(null);
  const [busy, set_busy] = useState(false);
  const days = days_between(form.from, form.to, zone);
  const conf = conf_of(form.conf);
  const body = days && conf && { dag_id: dag, ...days, max_active_runs: Number(form.max) || 1, reprocess_behavior: form.behaviour, run_backwards: form.backwards, dag_run_conf: conf };
  const send = async (dry: boolean) => {
    set_busy(true);
    try {
      const answer = await api_send<Preview>("POST", `${V2}/backfills${dry ? "/dry_run" : ""}`, body);
      set_error(null);
      if (dry) set_preview(answer);
      else { toast("The backfill was created."); onDone(); }
    } catch (e) { set_error(e as ApiError); }
    set_busy(false);
  };
  const change = (part: Partial<typeof form>) => { set_form({ ...form, ...part }); set_preview(null); set_error(null); };
  return (
    <Dialog title={`Backfill ${dag}`} onClose={onClose} footer={<><button className="button" onClick={onClose}>Cancel</button>{preview ? <button className="button primary" disabled={!preview.total_entries || busy} onClick={() => void send(false)}>Create {plural(preview.total_entries, "run")}</button> : <button className="button primary" disabled={!body || busy} onClick={() => void send(true)}>Show what it would do</button>}</>}>
      <div className="row"><div className="field grow"><label htmlFor="bf-from">From <span className="muted">({zone})</span></label><input id="bf-from" type="date" className="input" value={form.from} onChange={(e) => change({ from: e.target.value })} /></div><div className="field grow"><label htmlFor="bf-to">To and with</label><input id="bf-to" type="date" className="input" value={form.to} onChange={(e) => change({ to: e.target.value })} /></div></div>
      {form.from && form.to && !days && <p className="bad-text">The first day is after the last.</p>}
      <div className="row"><div className="field grow"><label htmlFor="bf-what">Runs that exist</label><select id="bf-what" className="select" value={form.behaviour} onChange={(e) => change({ behaviour: e.target.value })}>{REPROCESS.map(([id, word]) => <option key={id} value={id}>{word}</option>)}</select></div><div className="field grow"><label htmlFor="bf-max">At the same time</label><input id="bf-max" className="input num" inputMode="numeric" value={form.max} onChange={(e) => change({ max: e.target.value.replace(/\D/g, "") })} /></div></div>
      <label className="check"><input type="checkbox" checked={form.backwards} onChange={(e) => change({ backwards: e.target.checked })} />Newest first</label>
      <div className="field"><label htmlFor="bf-conf">Conf (JSON)</label><textarea id="bf-conf" className="textarea" rows={2} spellCheck={false} value={form.conf} onChange={(e) => change({ conf: e.target.value })} />{!conf && <span className="problem">This is no JSON object.</span>}</div>
      {error && <ErrorBox error={error} />}
      {preview && <Dates preview={preview} zone={zone} />}
    </Dialog>
  );
}

function Progress({ backfill: b }: { backfill: Backfill }) {
  const runs = b.queued + b.running + b.success + b.failed;
  const words = [[b.success, "succeeded"], [b.failed, "failed"], [b.running, "running"], [b.queued, "queued"], [b.passed_over, "left alone"]].filter(([n]) => n).map(([n, word]) => `${count(n as number)} ${word}`).join(", ");
  if (!words) return <span className="muted">no run yet</span>;
  return <div className="row">{runs > 0 && <span className="list-meter"><Meter label={words} parts={[{ kind: "good", share: b.success / runs }, { kind: "bad", share: b.failed / runs }, { kind: "active", share: b.running / runs }]} /></span>}<span className="muted">{words}</span></div>;
}

export default function Backfills({ dag, zone }: { dag: string; zone: string }) {
  const list = useFollow<BackfillList>(`${V1}/ui/backfills/${encodeURIComponent(dag)}`, [`dag:${encodeURIComponent(dag)}`], (data, event) => (event.name === "run" || event.name === "dag" ? REFETCH : data));
  const [open, set_open] = useState(false);
  const may = useMayOn(dag)("runs.trigger");
  const act = async (b: Backfill, verb: string) => {
    try { await api_send("PUT", `${V2}/backfills/${b.id}/${verb}`); } catch (e) { toast_error(e); }
    list.refetch();
  };
  // Its end, and dates that are left alone, are no event of the stream.
  const is_active = !!list.data?.backfills.some((b) => !b.ended_at);
  useEffect(() => {
    if (!is_active) return;
    const timer = setInterval(() => !document.hidden && list.refetch(), ACTIVE_MS);
    return () => clearInterval(timer);
  }, [is_active, list.refetch]);
  const day = (at: number) => instant(at, zone).slice(0, 10);
  return (
    <>
      <div className="toolbar"><span className="grow" />{may && <button className="button primary" onClick={() => set_open(true)}>New backfill…</button>}</div>
      <Panel flush><Loaded from={list}>{(d) => d.backfills.length === 0 ? <Empty title="No backfill of this DAG.">A backfill makes the runs of a range of dates.</Empty> : (
        <div className="scroll-x" tabIndex={0} role="group" aria-label="Table"><table className="table backfills"><thead><tr><th>Days</th><th>State</th><th>Runs</th><th className="right phone-off">At once</th><th className="phone-off">Runs that existed</th><th className="phone-off">Created</th><th><span className="visually-hidden">Actions</span></th></tr></thead><tbody>{d.backfills.map((b) => (
          <tr key={b.id}>
            <td className="num nowrap">{day(b.from)} to {day(b.to)}</td><td>{b.ended_at ? "ended" : b.is_paused ? "paused" : "running"}</td><td><Progress backfill={b} /></td>
            <td className="right num phone-off">{b.max_active_runs}</td><td className="phone-off muted">{REPROCESS.find(([id]) => id === b.reprocess)?.[1]}{b.is_backwards ? ", newest first" : ""}</td>
            <td className="phone-off"><When at={b.created_at} relative />{b.triggered_by && <span className="muted"> by {b.triggered_by}</span>}</td>
            <td className="right nowrap">{!b.ended_at && may && <><button className="button small" onClick={() => void act(b, b.is_paused ? "unpause" : "pause")}>{b.is_paused ? "Go on" : "Pause"}</button> <button className="button small" onClick={() => void act(b, "cancel")}>Cancel</button></>}</td>
          </tr>
        ))}</tbody></table></div>
      )}</Loaded></Panel>
      <p className="muted">Its runs are those of type backfill: <Link to={`/dag_runs?dag_id=${encodeURIComponent(dag)}&run_type=backfill`}>show them</Link>.</p>
      {open && <BackfillDialog dag={dag} zone={zone} onClose={() => set_open(false)} onDone={() => { set_open(false); list.refetch(); }} />}
    </>
  );
}
