// SPDX-License-Identifier: Apache-2.0
/* dags - the list: what there is, how the last runs went, when the next one comes. */
import { useEffect, useMemo, useRef, useState } from "react";
import { api_send, url_of, V1 } from "../lib/api.ts";
import { useFetch, useFollow } from "../lib/live.ts";
import { DAGS_AT_ONCE } from "../lib/urls.ts";
import { useMayOnEach } from "../lib/me.ts";
import type { DagList, DagRow, ImportError } from "../lib/model.ts";
import { count, plural } from "../lib/number.ts";
import { REFETCH } from "../lib/reduce.ts";
import type { StreamEvent } from "../lib/stream.ts";
import { Link, path_of, query_set, usePlace } from "../lib/router.tsx";
import { schedule_words } from "../lib/time.ts";
import { Empty, Icon, ICON, Loaded, Panel, toast, toast_error, useFirstRows } from "../parts/basics.tsx";
import { Span, When } from "../parts/clock.tsx";
import { useTitle } from "../parts/head.tsx";
import { ImportErrorItem } from "../parts/import_error.tsx";
import { Glyph, RunBarsView } from "../parts/state.tsx";
import { RUN_LETTERS } from "../states.ts";
import { TriggerDialog } from "../parts/trigger.tsx";
import "../styles/dags.css";

const TOLD_MS = 4000;

export async function pause_set(dag: string, paused: boolean): Promise<boolean> {
  const path = `${url_of.dag2(dag)}?update_mask=is_paused`;
  try {
    await api_send("PATCH", path, { is_paused: paused });
    toast(`${dag} is ${paused ? "paused" : "active"}.`, { undo: () => void api_send("PATCH", path, { is_paused: !paused }).catch(toast_error) });
    return true;
  } catch (error) {
    toast_error(error);
    return false;
  }
}

export function PauseSwitch({ dag, paused, may }: { dag: string; paused: boolean; may: boolean }) {
  const [wanted, set_wanted] = useState<boolean | null>(null);
  const shown = wanted ?? paused;
  // Until the stream has told it, or was silent about it: a switch that goes back and forth looks as if it had refused.
  useEffect(() => {
    if (wanted === paused) set_wanted(null);
  }, [wanted, paused]);
  const change = async () => {
    set_wanted(!paused);
    if (await pause_set(dag, !paused)) setTimeout(() => set_wanted(null), TOLD_MS);
    else set_wanted(null);
  };
  return (
    <button className="switch" role="switch" aria-checked={!shown} aria-label={`${dag} is ${shown ? "paused" : "active"}`} title={shown ? "Paused: its schedule makes no runs" : "Active"} disabled={!may || wanted !== null}
      onClick={() => void change()} />
  );
}

/* Nobody else sees it, so no stream tells it: what was pressed holds until the list is asked for again. */
function Star({ dag, marked }: { dag: string; marked: boolean }) {
  const [shown, set_shown] = useState(marked);
  useEffect(() => set_shown(marked), [marked]);
  const change = () => {
    set_shown(!shown);
    api_send("POST", `${url_of.dag2(dag)}/${shown ? "unfavorite" : "favorite"}`).catch((error: unknown) => { set_shown(shown); toast_error(error); });
  };
  return <button className="star" aria-pressed={shown} aria-label={`${dag} is a favourite`} title={shown ? "A favourite of yours" : "Make it a favourite"} onClick={change}>{shown ? "★" : "☆"}</button>;
}

const TYPING_MS = 120;
const ORDERS = [["", "Attention first"], ["dag_id", "By name"], ["-last_run", "Last run first"], ["next_run", "Next run first"]];
const FILTERS = [["", "All"], ["favorite", "Favourites"], ["active", "Active"], ["paused", "Paused"], ["failed", "Last run failed"], ["running", "Running"]];

function reduce_dags(list: DagList, event: StreamEvent): DagList | typeof REFETCH {
  return event.name === "ti" || event.name === "run" || event.name === "dag" ? REFETCH : list;
}

function Row({ dag, may_edit, may_trigger, selected, onSelect, onTrigger }: { dag: DagRow; may_edit: boolean; may_trigger: boolean; selected: boolean; onSelect: () => void; onTrigger: () => void }) {
  const last = dag.runs.state[0];
  return (
    <tr aria-selected={selected} data-paused={dag.is_paused || undefined}>
      <td className="cell-check phone-off">{may_edit && <label className="check"><input type="checkbox" checked={selected} onChange={onSelect} aria-label={`Select ${dag.dag_id}`} /></label>}</td>
      <td className="cell-switch"><PauseSwitch dag={dag.dag_id} paused={dag.is_paused} may={may_edit} /></td>
      <td className="cell-name">
        <div className="row tight wrap"><Star dag={dag.dag_id} marked={dag.is_favorite} /><Link to={path_of.dag(dag.dag_id)} className="strong">{dag.display_name}</Link>{dag.has_import_errors && <Link to="/import_errors" className="tag bad-text">import error</Link>}{dag.tags.map((t) => <button key={t} className="tag tag-button" onClick={() => query_set({ tag: t, offset: null })}>{t}</button>)}</div>
        {dag.description && <div className="muted clip describe" title={dag.description}>{dag.description}</div>}
      </td>
      <td className="phone-off"><span title={`${dag.schedule ?? "no schedule"} · ${dag.timezone}`}>{schedule_words(dag.schedule)}</span>{dag.schedule && dag.timezone !== "UTC" && <div className="faint small">{dag.timezone}</div>}</td>
      <td className="phone-off muted">{dag.is_paused ? <span className="faint">paused</span> : <When at={dag.next_run} relative />}</td>
      <td className="cell-last">
        {last ? <div className="row tight"><Glyph letter={undefined} state={RUN_LETTERS[last]} label /><Link to={path_of.run(dag.dag_id, dag.runs.id[0])}><When at={dag.runs.start[0] ?? dag.runs.run_after[0]} relative /></Link></div> : <span className="faint">never ran</span>}
      </td>
      <td className="right num phone-off"><Span start={dag.runs.start[0]} end={dag.runs.end[0]} /></td>
      <td className="cell-bars">{dag.runs.id.length > 0 && <RunBarsView dag={dag.dag_id} runs={dag.runs} />}</td>
      <td className="right num phone-off">{dag.running + dag.queued > 0 ? <Link to={`/task_instances?dag_id=${encodeURIComponent(dag.dag_id)}&state=running,queued`}>{count(dag.running)}{dag.queued ? ` + ${count(dag.queued)}` : ""}</Link> : <span className="faint">0</span>}</td>
      <td className="phone-off muted">{dag.owners.join(", ")}</td>
      <td className="right">{may_trigger && <button className="button small icon" aria-label={`Trigger ${dag.dag_id}`} title="Trigger a run" onClick={onTrigger}><Icon d={ICON.play} size={13} /></button>}</td>
    </tr>
  );
}

/* The order is made once per filter: rows must not move under the pointer when a state changes. What is new comes last. */
function useSteadyOrder(url: string, dags: DagRow[] | undefined): DagRow[] {
  const order = useRef<{ url: string; at: Map<string, number> }>({ url: "", at: new Map() });
  return useMemo(() => {
    if (!dags) return [];
    if (order.current.url !== url) order.current = { url, at: new Map() };
    const at = order.current.at;
    for (const d of dags) if (!at.has(d.dag_id)) at.set(d.dag_id, at.size);
    return [...dags].sort((a, b) => at.get(a.dag_id)! - at.get(b.dag_id)!);
  }, [dags, url]);
}

function Pager({ offset, shown, total }: { offset: number; shown: number; total: number }) {
  if (total <= DAGS_AT_ONCE && !offset) return null;
  const to = (n: number) => { query_set({ offset: n > 0 ? String(n) : null }); scrollTo(0, 0); };
  return (
    <nav className="toolbar pager" aria-label="Pages of the list">
      <button className="button small" disabled={offset === 0} onClick={() => to(offset - DAGS_AT_ONCE)}>Earlier</button>
      <span className="num muted">{count(offset + 1)} to {count(offset + shown)} of {count(total)}</span>
      <button className="button small" disabled={offset + shown >= total} onClick={() => to(offset + DAGS_AT_ONCE)}>Further</button>
    </nav>
  );
}

export default function Dags() {
  useTitle("DAGs");
  const { query } = usePlace();
  const [q, tag, owner, filter, sort] = ["q", "tag", "owner", "show", "sort"].map((key) => query.get(key) ?? "");
  const offset = Number(query.get("offset") ?? 0);
  const [text, set_text] = useState(q);
  const [selected, set_selected] = useState<Set<string>>(new Set());
  const [trigger, set_trigger] = useState<string | null>(null);
  const may_on = useMayOnEach();
  const url = url_of.dags(query);
  const asked = useFollow<DagList>(url, ["dags"], reduce_dags);
  // While the next answer is under way the last one stays: a list that blinks at each letter cannot be read.
  const last = useRef<{ url: string; data: DagList | null }>({ url, data: null });
  if (asked.data) last.current = { url, data: asked.data };
  const list = { ...asked, data: last.current.data };
  const filter_set = (changes: Record<string, string | null>) => query_set({ ...changes, offset: null });
  const errors = useFetch<{ import_errors: ImportError[] }>(`${V1}/import_errors`);
  const rows = useSteadyOrder(last.current.url, list.data?.dags);
  const shown = useFirstRows(rows);
  useEffect(() => {
    const timer = setTimeout(() => text !== q && filter_set({ q: text }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const many = async (paused: boolean) => {
    const ids = [...selected];
    const results = await Promise.allSettled(ids.map((id) => api_send("PATCH", `${url_of.dag2(id)}?update_mask=is_paused`, { is_paused: paused })));
    const failed = ids.filter((_, i) => results[i].status === "rejected");
    toast(`${ids.length - failed.length} of ${ids.length} DAGs ${paused ? "paused" : "activated"}.${failed.length ? ` Not: ${failed.join(", ")}.` : ""}`, { bad: failed.length > 0 });
    set_selected(new Set());
  };
  return (
    <>
      <div className="title-row"><h1>DAGs</h1>{list.data && <span className="muted num">{count(list.data.total_entries)}{q || tag || owner || filter ? " that fit" : ""}</span>}</div>
      <div className="toolbar">
        <input type="search" className="input" placeholder="Name, tag, owner, file" aria-label="Filter DAGs" value={text} onChange={(e) => set_text(e.target.value)} />
        {FILTERS.map(([id, name]) => <button key={id} className="chip" aria-pressed={filter === id} onClick={() => filter_set({ show: id })}>{name}</button>)}
        {list.data && list.data.tags.length > 0 && (
          <select className="select" aria-label="Tag" value={tag} onChange={(e) => filter_set({ tag: e.target.value })}><option value="">Any tag</option>{list.data.tags.map((t) => <option key={t}>{t}</option>)}</select>
        )}
        {list.data?.owners && list.data.owners.length > 1 && (
          <select className="select" aria-label="Owner" value={owner} onChange={(e) => filter_set({ owner: e.target.value })}><option value="">Any owner</option>{list.data.owners.map((o) => <option key={o}>{o}</option>)}</select>
        )}
        <select className="select phone-off" aria-label="Order" value={sort} onChange={(e) => filter_set({ sort: e.target.value })}>{ORDERS.map(([id, name]) => <option key={id} value={id}>{name}</option>)}</select>
        <span className="grow" />
        {selected.size > 0 && <><span className="muted">{selected.size} selected</span><button className="button small" onClick={() => void many(true)}>Pause</button><button className="button small" onClick={() => void many(false)}>Activate</button></>}
      </div>
      {errors.data && errors.data.import_errors.length > 0 && !filter && !tag && !owner && (
        <details className="panel import-fold">
          <summary><Glyph state="failed" /> {plural(errors.data.import_errors.length, "file")} could not be loaded: {errors.data.import_errors.map((e) => e.file).slice(0, 3).join(", ")}</summary>
          <ul className="list">{errors.data.import_errors.map((e) => <ImportErrorItem key={e.import_error_id} error={e} open />)}</ul>
        </details>
      )}
      <Panel flush>
        <Loaded from={list} rows={12}>
          {(data) => data.total_entries === 0 && !q && !tag && !owner && !filter ? (
            <Empty title="No DAGs yet."><span>Put a YAML file into the DAG folder; it appears within two seconds.</span><pre className="code" tabIndex={0}>{"dag_id: hello\ntasks:\n  greet: {bash: echo hello}"}</pre></Empty>
          ) : rows.length === 0 ? (
            <Empty title="No DAG fits this filter."><button className="button small" onClick={() => { set_text(""); query_set({ q: null, tag: null, owner: null, show: null, offset: null }); }}>Clear the filter</button></Empty>
          ) : (
            <div className="scroll-x" tabIndex={0} role="group" aria-label="Table">
              <table className="table dags">
                <thead><tr><th className="phone-off"><span className="visually-hidden">Select</span></th><th><span className="visually-hidden">Active</span></th><th>DAG</th><th className="phone-off">Schedule</th><th className="phone-off">Next run</th><th>Last run</th><th className="right phone-off">Took</th><th>Recent runs</th><th className="right phone-off">Tasks now</th><th className="phone-off">Owner</th><th><span className="visually-hidden">Trigger</span></th></tr></thead>
                <tbody>{shown.map((dag) => <Row key={dag.dag_id} dag={dag} may_edit={may_on(dag.dag_id, "dags.edit")} may_trigger={may_on(dag.dag_id, "runs.trigger") && !dag.is_stale} selected={selected.has(dag.dag_id)} onTrigger={() => set_trigger(dag.dag_id)} onSelect={() => { const next = new Set(selected); if (!next.delete(dag.dag_id)) next.add(dag.dag_id); set_selected(next); }} />)}</tbody>
              </table>
            </div>
          )}
        </Loaded>
      </Panel>
      {list.data && <Pager offset={offset} shown={rows.length} total={list.data.total_entries} />}
      {trigger && <TriggerDialog dag={trigger} onClose={() => set_trigger(null)} />}
    </>
  );
}
