// SPDX-License-Identifier: Apache-2.0
/* bulk_bar - what can be done with the rows of a list that are chosen, or with all that its filter finds. */
import { useState } from "react";
import { api_get, ApiError, V1 } from "../lib/api.ts";
import { bulk_start, type BulkItem, type BulkRows } from "../lib/bulk.ts";
import { count, plural } from "../lib/number.ts";
import { Dialog, ErrorBox, toast_error } from "./basics.tsx";

type Kind = "runs" | "tasks";
interface Action { word: string; button: string; verb: (rows: string) => string; effect: string; danger?: boolean }

const ACTIONS: Record<Kind, Action[]> = {
  runs: [
    { word: "clear_failed", button: "Clear failed tasks", verb: (rows) => `Clear the failed tasks of ${rows}`, effect: "What failed, and what was blocked by it, runs again. A run without failed tasks stays as it is." },
    { word: "clear", button: "Clear", verb: (rows) => `Clear ${rows}`, effect: "Every task runs again; what runs now is stopped first." },
    { word: "success", button: "Mark succeeded", verb: (rows) => `Mark ${rows} succeeded`, effect: "Tasks that have not ended are stopped and marked as succeeded." },
    { word: "failed", button: "Stop and mark failed", verb: (rows) => `Stop ${rows}`, effect: "Running tasks get SIGTERM and, after their grace time, SIGKILL. What has not started is skipped.", danger: true },
    { word: "delete", button: "Delete", verb: (rows) => `Delete ${rows}`, effect: "Their history and logs go with them. This cannot be undone.", danger: true },
  ],
  tasks: [
    { word: "clear", button: "Clear", verb: (rows) => `Clear ${rows}`, effect: "They run again, each for itself; what runs now is stopped first." },
    { word: "success", button: "Mark succeeded", verb: (rows) => `Mark ${rows} succeeded`, effect: "What waits for them goes on. One that runs is stopped." },
    { word: "failed", button: "Mark failed", verb: (rows) => `Mark ${rows} failed`, effect: "One that runs is stopped. What waits for them is blocked, unless its trigger rule allows it.", danger: true },
    { word: "skipped", button: "Mark skipped", verb: (rows) => `Mark ${rows} skipped`, effect: "One that runs is stopped. What waits for them is skipped, unless its trigger rule allows it." },
  ],
};

const NOUN: Record<Kind, string> = { runs: "run", tasks: "task instance" };
export const MATCHES_MAX = 10000;

async function matches_of(kind: Kind, query: string): Promise<number> {
  return (await api_get<{ matches: number }>(`${V1}/ui/${kind}?limit=0&${query}`)).matches;
}

function BulkDialog({ kind, action, query, items, expected, onClose, onStart }: { kind: Kind; action: Action; query: string; items: BulkItem[] | null; expected: number; onClose: () => void; onStart: () => void }) {
  const [n, set_n] = useState(expected);
  const [typed, set_typed] = useState("");
  const [error, set_error] = useState<ApiError | null>(null);
  const [busy, set_busy] = useState(false);
  const title = action.verb(plural(n, NOUN[kind]));
  const must_type = action.word === "delete";
  const submit = async () => {
    set_busy(true);
    const rows: BulkRows = items ? { items } : { query, expected: n };
    try {
      await bulk_start(kind, title, action.word, rows);
      onStart();
    } catch (e) {
      set_error(e as ApiError);
      set_busy(false);
      if ((e as ApiError).reason === "more_match") set_n(await matches_of(kind, query).catch(() => n));
    }
  };
  return (
    <Dialog title={title} onClose={onClose}
      footer={<><button className="button" autoFocus={action.danger} onClick={onClose}>Cancel</button><button className={`button ${action.danger ? "danger" : "primary"}`} autoFocus={!action.danger} disabled={busy || (must_type && typed !== String(n))} onClick={() => void submit()}>{busy ? "Starting…" : title}</button></>}>
      <p>{action.effect}</p>
      {!items && <p className="muted">All that the filter finds, also those that are not shown. The server does them one after another and tells what became of each; you may go to other pages meanwhile.</p>}
      {must_type && <div className="field"><label htmlFor="bulk-count">Type <span className="mono">{n}</span> to confirm</label><input id="bulk-count" className="input mono" autoComplete="off" value={typed} onChange={(e) => set_typed(e.target.value)} /></div>}
      {error && <ErrorBox error={error} />}
    </Dialog>
  );
}

export function BulkBar({ kind, query, selected, clear }: { kind: Kind; query: string; selected: Set<string>; clear: () => void }) {
  const [all, set_all] = useState<{ query: string; matches: number } | null>(null);
  const [action, set_action] = useState<Action | null>(null);
  // All of one filter are not all of the next.
  const matches = all?.query === query ? all.matches : null;
  if (!selected.size && matches === null) return null; // only what may be acted on can be selected
  const none = () => { set_all(null); set_action(null); clear(); };
  const select_all = () => void matches_of(kind, query).then((n) => set_all({ query, matches: n }), toast_error);
  const too_many = matches !== null && matches > MATCHES_MAX;
  return (
    <div className="toolbar" role="group" aria-label="With what is selected">
      <b>{matches === null ? `${plural(selected.size, NOUN[kind])} selected` : too_many ? `More than ${count(MATCHES_MAX)} match: narrow the filter` : `All ${plural(matches, NOUN[kind])} that match`}</b>
      {matches === null && <button className="button small" onClick={select_all}>Select all that match</button>}
      {!too_many && ACTIONS[kind].map((a) => <button key={a.word} className="button small" disabled={matches === 0} onClick={() => set_action(a)}>{a.button}</button>)}
      <button className="button small quiet" onClick={none}>Select none</button>
      {action && <BulkDialog kind={kind} action={action} query={query} items={matches === null ? [...selected].map((s) => JSON.parse(s) as BulkItem) : null} expected={matches ?? selected.size} onClose={() => set_action(null)} onStart={none} />}
    </div>
  );
}
