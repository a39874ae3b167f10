// SPDX-License-Identifier: Apache-2.0
/* lists - all runs, or all task instances, over every DAG: filtered by the address, paged by key, acted on in bulk. */
import { useEffect, useState } from "react";
import { api_get, url_of } from "../lib/api.ts";
import type { BulkItem } from "../lib/bulk.ts";
import { keys_of, type Kind } from "../lib/filter_keys.ts";
import { filter_asked, filter_of, filter_read, filter_write, type Query } from "../lib/filter_text.ts";
import { useFollow } from "../lib/live.ts";
import { useMayOnEach } from "../lib/me.ts";
import type { RunRow, Snapshot, TaskRow } from "../lib/model.ts";
import { count, plural } from "../lib/number.ts";
import type { RunChange, TiChange } from "../lib/stream.ts";
import { Link, path_of, query_set, usePlace } from "../lib/router.tsx";
import { duration } from "../lib/time.ts";
import { minute_now } from "../lib/urls.ts";
import { useDefaultView, useViews, type Views } from "../lib/views.ts";
import { Empty, Loaded, Panel, toast_error, useFirstRows } from "../parts/basics.tsx";
import { BulkBar } from "../parts/bulk_bar.tsx";
import { Span, When } from "../parts/clock.tsx";
import { FilterLine } from "../parts/filter_line.tsx";
import { PageHead, useTitle } from "../parts/head.tsx";
import { SavedViews } from "../parts/saved_views.tsx";
import { Glyph, Meter, StateWord } from "../parts/state.tsx";
import { RUN_STATES, state_of, TASK_STATES } from "../states.ts";

type Data = Snapshot & { runs?: RunRow[]; tasks?: TaskRow[]; next: string | null; fresh?: number };

const RANGES: [string, string][] = [["", "Last 24 h"], ["7d", "7 days"], ["30d", "30 days"], ["all", "All time"]];

/* The filters alone: what else stands in the address stays. */
function filter_set(kind: Kind, query: Query): void {
  query_set({ ...Object.fromEntries(Object.keys(filter_of(kind, new URLSearchParams(location.search))).map((param) => [param, null])), ...query });
}

/* As chips: all states there are, and of the other keys what is chosen. */
function Filters({ kind, query, views }: { kind: Kind; query: Query; views: Views }) {
  const states = kind === "runs" ? RUN_STATES : TASK_STATES.filter((s) => s.name !== "none").map((s) => s.name);
  const on = new Set((query.state ?? "").split(",").filter(Boolean));
  const toggle = (s: string) => { const next = new Set(on); if (!next.delete(s)) next.add(s); query_set({ state: [...next].join(",") }); };
  const range = query.range ?? "";
  const ranges = RANGES.some(([id]) => id === range) ? RANGES : [...RANGES, [range, filter_write(kind, { range })]];
  const others = keys_of(kind).filter((k) => query[k.param] && !["state", "range"].includes(k.param));
  return (
    <div className="toolbar">
      <FilterLine kind={kind} query={query} set_query={(next) => filter_set(kind, next)} />
      <SavedViews kind={kind} query={query} views={views} show={(next) => filter_set(kind, next)} />
      <select className="select" aria-label="Time" value={range} onChange={(e) => query_set({ range: e.target.value })}>{ranges.map(([id, name]) => <option key={id} value={id}>{name}</option>)}</select>
      {states.map((s) => <button key={s} className="chip" aria-pressed={on.has(s)} onClick={() => toggle(s)}><Glyph state={s} />{state_of(s).word}</button>)}
      {others.map((k) => <button key={k.key} className="chip" aria-pressed="true" onClick={() => query_set({ [k.param]: null })}>{k.key} {query[k.param]} ✕</button>)}
      {Object.keys(query).length > 0 && <button className="button small quiet" onClick={() => filter_set(kind, {})}>Clear filters</button>}
    </div>
  );
}

const item_of = (row: RunRow | TaskRow): BulkItem => ({ dag_id: row.dag_id, run_id: row.run_id, ...("task_id" in row ? { task_id: row.task_id, map_index: row.map_index } : {}) });
const row_key = (row: RunRow | TaskRow): string => JSON.stringify(item_of(row));

/* In place for what is listed; what is new waits behind the pill. */
function reduce_list(data: Data, name: string, changes: unknown[][] | undefined): Data {
  if (name === "run" && data.runs) {
    let fresh = data.fresh ?? 0;
    const runs = [...data.runs];
    for (const [dag, run, key, state, , , start, end] of changes as RunChange[]) {
      const at = runs.findIndex((r) => r.key === key && r.dag_id === dag && r.run_id === run);
      if (at >= 0) runs[at] = { ...runs[at], state, start, end };
      else fresh++;
    }
    return { ...data, runs, fresh };
  }
  // Tasks themselves are not told on `home`: that runs or slots have changed is a hint that there is more to see.
  if ((name === "run" || name === "workers") && data.tasks) return { ...data, fresh: (data.fresh ?? 0) + 1 };
  if (name === "ti" && data.tasks) {
    let fresh = data.fresh ?? 0;
    const tasks = [...data.tasks];
    for (const [dag, run, task, map, state, attempt, start, end, worker] of changes as TiChange[]) {
      const at = tasks.findIndex((t) => t.task_id === task && t.run_id === run && t.dag_id === dag && t.map_index === map);
      if (at >= 0) tasks[at] = { ...tasks[at], state, try: attempt, start, end, worker };
      else if (state === "running") fresh++;
    }
    return { ...data, tasks, fresh };
  }
  return data;
}

interface Picking { may: (dag: string) => boolean; selected: Set<string>; toggle: (key: string) => void; toggle_all: () => void }

function PickAll({ rows, picking }: { rows: { dag_id: string }[]; picking: Picking }) {
  return rows.some((r) => picking.may(r.dag_id)) && <th className="phone-off"><label className="check"><input type="checkbox" aria-label="Select all that are shown" checked={picking.selected.size > 0 && picking.selected.size >= rows.filter((r) => picking.may(r.dag_id)).length} onChange={picking.toggle_all} /></label></th>;
}

function Pick({ id, name, dag, rows, picking }: { id: string; name: string; dag: string; rows: { dag_id: string }[]; picking: Picking }) {
  if (!picking.may(dag)) return rows.some((r) => picking.may(r.dag_id)) && <td className="phone-off" />;
  return <td className="phone-off"><label className="check"><input type="checkbox" aria-label={`Select ${name}`} checked={picking.selected.has(id)} onChange={() => picking.toggle(id)} /></label></td>;
}

function RunTable({ runs, picking }: { runs: RunRow[]; picking: Picking }) {
  return (
    <table className="table">
      <thead><tr><PickAll rows={runs} picking={picking} /><th className="cell-state">State</th><th>DAG</th><th className="phone-off">Run</th><th className="phone-off">Type</th><th className="phone-off">Tasks</th><th>Started</th><th className="right">Took</th><th className="right phone-off">Version</th></tr></thead>
      <tbody>{runs.map((r) => {
        const key = row_key(r);
        return (
          <tr key={key} aria-selected={picking.selected.has(key)}>
            <Pick id={key} name={r.run_id} dag={r.dag_id} rows={runs} picking={picking} />
            <td className="cell-state"><StateWord state={r.state} /></td><td><Link to={path_of.dag(r.dag_id)}>{r.dag_id}</Link><div className="phone-only clip run-phone"><Link to={path_of.run(r.dag_id, r.run_id)}>{r.run_id}</Link></div></td>
            <td className="phone-off"><Link to={path_of.run(r.dag_id, r.run_id)} className="strong">{r.run_id}</Link>{r.note && <div className="muted clip note-cell">{r.note}</div>}</td>
            <td className="phone-off muted nowrap">{r.run_type}{r.triggered_by ? ` by ${r.triggered_by}` : ""}</td>
            <td className="phone-off"><div className="row"><span className="list-meter"><Meter label={`${r.done} of ${r.total} ended, ${r.failed} failed`} parts={[{ kind: "good", share: r.total ? (r.done - r.failed) / r.total : 0 }, { kind: "bad", share: r.total ? r.failed / r.total : 0 }]} /></span><span className="muted num nowrap">{count(r.done)}/{count(r.total)}</span></div></td>
            <td><span className="phone-off"><When at={r.start ?? r.run_after} /></span><span className="phone-only"><When at={r.start ?? r.run_after} relative /></span></td><td className="right"><Span start={r.start} end={r.end} /></td><td className="right num phone-off">{r.version}</td>
          </tr>
        );
      })}</tbody>
    </table>
  );
}

function TaskTable({ tasks, picking }: { tasks: TaskRow[]; picking: Picking }) {
  return (
    <table className="table">
      <thead><tr><PickAll rows={tasks} picking={picking} /><th>State</th><th>Task</th><th className="phone-off">DAG</th><th className="phone-off">Run</th><th className="right phone-off">Try</th><th className="right phone-off">Waited</th><th className="right">Ran</th><th className="phone-off">Started</th><th className="phone-off">Worker</th><th className="phone-off">Pool</th></tr></thead>
      <tbody>{tasks.map((t) => {
        const key = row_key(t);
        return (
          <tr key={key} aria-selected={picking.selected.has(key)}>
            <Pick id={key} name={t.task_id} dag={t.dag_id} rows={tasks} picking={picking} />
            <td className="cell-state"><StateWord state={t.state} /></td>
            <td><Link className="strong" to={path_of.task(t.dag_id, t.run_id, t.task_id, t.map_index)}>{t.task_id}{t.map_index >= 0 ? `[${t.map_index}]` : ""}</Link>{t.error && <div className="bad-text mono clip note-cell" title={t.error}>{t.error}</div>}</td>
            <td className="phone-off"><Link to={path_of.dag(t.dag_id)}>{t.dag_id}</Link></td><td className="phone-off clip run-cell"><Link to={path_of.run(t.dag_id, t.run_id)}>{t.run_id}</Link></td>
            <td className="right num phone-off">{t.try}</td><td className="right num phone-off">{t.start && t.queued_at ? duration(t.start - t.queued_at) : "—"}</td><td className="right"><Span start={t.start} end={t.end} /></td>
            <td className="phone-off"><When at={t.start} /></td><td className="phone-off">{t.worker ? <Link to={path_of.worker(t.worker)}>{t.worker}</Link> : "—"}</td><td className="phone-off muted">{t.pool}</td>
          </tr>
        );
      })}</tbody>
    </table>
  );
}

export default function Lists({ params }: { params: Record<string, string> }) {
  const kind = params.kind as Kind;
  const place = usePlace().query;
  const query = filter_of(kind, place);
  const views = useViews();
  const is_waiting = useDefaultView(kind, query, views, (next) => filter_set(kind, next));
  useTitle(kind === "runs" ? "Runs" : "Tasks");
  const [more, set_more] = useState<(RunRow | TaskRow)[]>([]);
  const [next, set_next] = useState<string | null | undefined>(undefined);
  const [selected, set_selected] = useState<Set<string>>(new Set());
  const [minute] = useState(minute_now);
  const filter = filter_asked(kind, query, minute).toString();
  const url = url_of.list(kind, filter);
  // What is not understood lists nothing: without it the list would be longer than was meant, and acted on.
  const problem = filter_read(kind, filter_write(kind, query)).problems[0];
  const data = useFollow<Data>(is_waiting || problem ? null : url, ["home"], (d, event) => reduce_list(d, event.name, event.data.c));
  useEffect(() => { set_more([]); set_next(undefined); set_selected(new Set()); }, [url]);
  const load_more = async () => {
    const after = next === undefined ? data.data?.next : next;
    if (!after) return;
    try {
      const page = await api_get<Data>(`${url}&after=${encodeURIComponent(after)}`);
      set_more([...more, ...((page[kind] ?? []) as (RunRow | TaskRow)[])]);
      set_next(page.next);
    } catch (e) { toast_error(e); }
  };
  const rows = [...((data.data?.[kind] ?? []) as (RunRow | TaskRow)[]), ...more];
  const shown = useFirstRows(rows);
  const may_on = useMayOnEach();
  const may = (dag: string) => may_on(dag, kind === "runs" ? "runs.edit" : "tasks.edit");
  const toggle = (key: string) => { const s = new Set(selected); if (!s.delete(key)) s.add(key); set_selected(s); };
  return (
    <>
      <PageHead title={<h1>{kind === "runs" ? "Runs" : "Task instances"}</h1>} />
      <Filters kind={kind} query={query} views={views} />
      {!problem && <BulkBar kind={kind} query={filter} selected={selected} clear={() => set_selected(new Set())} />}
      {(data.data?.fresh ?? 0) > 0 && <button className="pill" onClick={() => { set_more([]); set_next(undefined); data.refetch(); }}>↑ {kind === "runs" ? plural(data.data!.fresh!, "new run") : "Tasks have changed: show"}</button>}
      {problem ? <Panel><Empty title="The filter is not understood.">{problem.text}</Empty></Panel> : <Loaded from={data} rows={14}>
        {(d) => {
          const rest = next === undefined ? d.next : next;
          const picking: Picking = { may, selected, toggle, toggle_all: () => { const mine = rows.filter((r) => may(r.dag_id)); set_selected(new Set(selected.size >= mine.length ? [] : mine.map(row_key))); } };
          return (
            <Panel flush>
              {rows.length === 0 ? <Empty title={`No ${kind === "runs" ? "run" : "task"} fits.`}>{query.range !== "all" && <button className="button small" onClick={() => query_set({ range: "all" })}>Search all time</button>}</Empty>
                : <div className="scroll-x" tabIndex={0} role="group" aria-label="Table">{kind === "runs" ? <RunTable runs={shown as RunRow[]} picking={picking} /> : <TaskTable tasks={shown as TaskRow[]} picking={picking} />}</div>}
              {rest && <div className="empty"><button className="button" onClick={() => void load_more()}>Show 100 more</button></div>}
            </Panel>
          );
        }}
      </Loaded>}
    </>
  );
}
