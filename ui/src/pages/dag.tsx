// SPDX-License-Identifier: Apache-2.0
/* dag - one DAG: its runs as a grid, its graph, and what else is known of it. */
import { useEffect, useMemo, useState } from "react";
import { url_of } from "../lib/api.ts";
import { Graph } from "../graph/later.tsx";
import { later } from "../lib/later.tsx";
import { useFetch, useFollow } from "../lib/live.ts";
import { useMayOn } from "../lib/me.ts";
import type { Cells, DagList, Shape } from "../lib/model.ts";
import { count } from "../lib/number.ts";
import { REFETCH, reduce_cells } from "../lib/reduce.ts";
import { go, Link, path_of, query_set, useDialog, useQuery } from "../lib/router.tsx";
import { RUNS_SHOWN } from "../lib/urls.ts";
import { schedule_words } from "../lib/time.ts";
import { DeleteDialog } from "../parts/actions.tsx";
import { copy, Empty, Icon, ICON, Loaded, Menu, Panel, Skeleton, Tabs, useKeys } from "../parts/basics.tsx";
import { When } from "../parts/clock.tsx";
import { PageHead, useTitle } from "../parts/head.tsx";
import { StateWord } from "../parts/state.tsx";
import { TriggerDialog } from "../parts/trigger.tsx";
import { pause_set, PauseSwitch } from "./dags.tsx";
import { GridSide } from "../grid/side.tsx";
import Grid, { type Picked } from "../grid/grid.tsx";
import { RUN_LETTERS, TASK_STATES } from "../states.ts";

const DagTimeline = later(() => import("./dag_timeline.tsx"), <Skeleton rows={8} height={26} />);
const More = later(() => import("./dag_more.tsx"), <Skeleton rows={8} />);

export const DAG_TABS: [string, string][] = [["", "Grid"], ["graph", "Graph"], ["gantt", "Timeline"], ["runs", "Runs"], ["calendar", "Calendar"], ["trends", "Trends"], ["tasks", "Tasks"], ["backfills", "Backfills"], ["versions", "Versions"], ["code", "Code"], ["events", "Audit"], ["details", "Details"]];

export function useShape(dag: string, version: number | null = null) {
  return useFetch<Shape>(url_of.shape(dag, version));
}

function GridTab({ dag, shape, cells }: { dag: string; shape: Shape; cells: Cells }) {
  const wide = matchMedia("(min-width: 1040px)").matches;
  const [picked, set_picked] = useState<Picked | null>(() => (wide && cells.runs.id.length ? { ordinal: -1, run: 0 } : null));
  const text = useQuery("q");
  const only = useQuery("state");
  const limit = useQuery("run_limit");
  const letters = only === "failed" ? "fu" : only === "running" ? "rqz" : only === "waiting" ? "oycd" : "";
  const present = useMemo(() => new Set(cells.st.join("")), [cells.st]);
  // A picked run is named by its place in the list; a new run moves it.
  const key = picked && picked.run >= 0 ? cells.runs.key[picked.run] : null;
  const [kept_key, set_kept_key] = useState<number | null>(() => (wide ? cells.runs.key[0] ?? null : null));
  useEffect(() => {
    if (picked && picked.run >= 0 && kept_key !== null && key !== kept_key) {
      const at = cells.runs.key.indexOf(kept_key);
      set_picked(at < 0 ? null : { ...picked, run: at });
    }
  }, [cells.runs.key, kept_key]);
  const pick = (next: Picked | null) => {
    set_picked(next);
    set_kept_key(next && next.run >= 0 ? cells.runs.key[next.run] : null);
  };
  if (!cells.runs.id.length) return <Panel><Empty title="No runs yet.">Trigger one, or wait for its schedule.</Empty></Panel>;
  return (
    <>
      <div className="toolbar">
        <input type="search" className="input" placeholder="Filter tasks" aria-label="Filter tasks" defaultValue={text} onChange={(e) => query_set({ q: e.target.value })} />
        {[["", "All tasks"], ["failed", "With failures"], ["running", "Active"], ["waiting", "Waiting"]].map(([id, name]) => <button key={id} className="chip" aria-pressed={only === id} onClick={() => query_set({ state: id })}>{name}</button>)}
        <span className="grow" />
        <label className="row tight muted phone-off">Runs
          <select className="select" value={limit || RUNS_SHOWN} onChange={(e) => query_set({ run_limit: e.target.value })}>{[10, 25, 50, 100].map((n) => <option key={n}>{n}</option>)}</select>
        </label>
      </div>
      <div className={`dag-split${picked ? " with-side" : ""}`}>
        <section className="panel" aria-label="Grid">
          <Grid shape={shape} cells={cells} text={text} only={letters} picked={picked} onPick={pick} />
          <div className="legend" aria-label="Legend">
            {TASK_STATES.filter((s) => present.has(s.letter)).map((s) => <StateWord key={s.name} state={s.name} />)}
            <span className="grow" /><span className="phone-off">Arrows move, <kbd>n</kbd> next failed, <kbd>Enter</kbd> opens</span>
          </div>
        </section>
        {picked && <aside className="side"><GridSide dag={dag} shape={shape} cells={cells} picked={picked} onClose={() => pick(null)} /></aside>}
      </div>
    </>
  );
}

function GraphTab({ dag, shape, cells }: { dag: string; shape: Shape; cells: Cells }) {
  const run = useQuery("run");
  const at = Math.max(0, run ? cells.runs.id.indexOf(run) : 0);
  const st = cells.st[at] ?? "";
  const mapped = useMemo(() => cells.mapped.filter((m) => m[0] === at).map((m) => m.slice(1)), [cells.mapped, at]);
  return (
    <Panel flush title="Graph" extra={<>{cells.runs.id[at] && <Link className="phone-off" to={path_of.run(dag, cells.runs.id[at])}>Open this run</Link>}<select className="select" aria-label="Run that colours the graph" value={cells.runs.id[at] ?? ""} onChange={(e) => query_set({ run: e.target.value })}>{cells.runs.id.map((id) => <option key={id} value={id}>{id}</option>)}</select></>}>
      <Graph shape={shape} st={st} mapped={mapped} onOpen={(o) => go(cells.runs.id[at] ? path_of.task(dag, cells.runs.id[at], shape.id[o]) : path_of.dag_task(dag, shape.id[o]))} />
    </Panel>
  );
}

export default function Dag({ params }: { params: Record<string, string> }) {
  const { dag, tab = "", task } = params;
  const limit = Number(useQuery("run_limit") || RUNS_SHOWN);
  const [dialog, set_dialog] = useDialog();
  const may = useMayOn(dag);
  const may_run = may("runs.trigger");
  const may_edit = may("dags.edit");
  const info = useFollow<DagList>(url_of.dag(dag), [`dag:${encodeURIComponent(dag)}`], (data, event) => (event.name === "dag" || event.name === "run" ? REFETCH : data));
  const shape = useShape(dag);
  const cells = useFollow<Cells>(url_of.cells(dag, limit, null), [`dag:${encodeURIComponent(dag)}`], (data, event, gate) => reduce_cells(data, event, gate, shape.data));
  const row = info.data?.dags[0];
  const last = row?.runs.state[0];
  useTitle(task ? `${task} · ${dag}` : dag, last ? RUN_LETTERS[last] : null);
  // Another structure than the one drawn: a new version was loaded.
  useEffect(() => {
    if (cells.data && shape.data && cells.data.hash !== shape.data.hash) shape.refetch();
  }, [cells.data?.hash, shape.data?.hash]);
  // What a tab is drawn with comes beside what it shows, not after it.
  useEffect(() => { void ({ graph: Graph, gantt: DagTimeline } as Record<string, { load: () => Promise<void> }>)[tab]?.load().catch(() => undefined); }, [tab]);
  useKeys([
    { key: "t", what: "Trigger a run", run: () => may_run && !row?.is_stale && set_dialog("trigger") },
    { key: "p", what: "Pause or activate", run: () => row && !row.is_stale && may_edit && void pause_set(dag, !row.is_paused) },
    { key: "y", what: "Copy the link", run: () => void copy(location.href, "Link") },
    ...DAG_TABS.slice(0, 9).map(([id, name], i) => ({ key: String(i + 1), what: name, run: () => go(path_of.dag(dag, id)) })),
  ]);
  if (info.data && !row) return <Empty whole title={`There is no DAG ${dag}.`}><Link className="button" to={`/dags?q=${encodeURIComponent(dag)}`}>Search for it</Link></Empty>;
  return (
    <>
      <PageHead crumbs={[["DAGs", "/dags"]]}
        title={<>{row && !row.is_stale && <PauseSwitch dag={dag} paused={row.is_paused} may={may_edit} />}<h1>{row?.display_name ?? dag}</h1>{task && <span className="muted">/ {task}</span>}</>}
        actions={<>
          {may_run && <button className="button primary" disabled={row?.is_stale} onClick={() => set_dialog("trigger")}><Icon d={ICON.play} size={13} />Trigger <kbd className="phone-off">t</kbd></button>}
          <Menu name="More actions" label={<Icon d={ICON.more} />}>
            <button onClick={() => void copy(`headrace dags trigger ${dag}`, "Command")}>Copy CLI command</button>
            <button onClick={() => void copy(location.href, "Link")}>Copy link</button>
            {may_edit && <><hr /><button className="bad-text" onClick={() => set_dialog("delete")}>Delete DAG…</button></>}
          </Menu>
        </>}
        meta={row && <>
          <span title={`${row.schedule ?? ""} · ${row.timezone}`}>Runs <b>{schedule_words(row.schedule)}</b>{row.schedule && row.timezone !== "UTC" ? ` ${row.timezone}` : ""}</span>
          <span>Next <b>{row.is_stale ? "never" : row.is_paused ? "paused" : <When at={row.next_run} relative />}</b></span>
          <span><b>{count(row.task_count)}</b> tasks</span><span>Version <b>{row.version}</b></span><span>Owner <b>{row.owners.join(", ")}</b></span><span className="mono phone-off" title={row.file}>{row.file.split("/").slice(-2).join("/")}</span>
          {row.description && <span className="phone-off clip">{row.description}</span>}
        </>} />
      {row?.is_stale && <div className="note bad">Its file <span className="mono">{row.file}</span> is gone: it starts no more runs. What it ran is kept. Put the file back, and it goes on.</div>}
      {row?.has_import_errors && <div className="note bad">Its file has an import error; version {row.version} stays active. <Link to="/import_errors">Show the error</Link></div>}
      <Tabs current={task ? "tasks" : tab} tabs={DAG_TABS.map(([id, name]) => ({ id, name, to: path_of.dag(dag, id) }))} />
      {tab === "gantt" ? <Loaded from={cells} rows={12}>{(c) => <DagTimeline dag={dag} cells={c} />}</Loaded> : tab === "" || tab === "grid" || tab === "graph" ? (
        <Loaded from={shape} rows={10}>{(s) => <Loaded from={cells} rows={12}>{(c) => tab === "graph" ? <GraphTab dag={dag} shape={s} cells={c} /> : <GridTab dag={dag} shape={s} cells={c} />}</Loaded>}</Loaded>
      ) : (
        <More dag={dag} tab={tab} task={task} shape={shape.data} version={row?.version ?? null} zone={row?.timezone ?? null} />
      )}
      {dialog === "trigger" && may_run && <TriggerDialog dag={dag} onClose={() => set_dialog("")} />}
      {dialog === "delete" && <DeleteDialog what="DAG" name={dag} path={url_of.dag2(dag)} onClose={() => set_dialog("")} onDone={() => go("/dags")} />}
    </>
  );
}
