// SPDX-License-Identifier: Apache-2.0
/* run - one run: what it does now, task by task, as a list, a graph and a timeline, and how it differs from the last good one. */
import { useEffect, useMemo, useState } from "react";
import { url_of } from "../lib/api.ts";
import { Graph } from "../graph/later.tsx";
import { later } from "../lib/later.tsx";
import { useFetch, useFollow } from "../lib/live.ts";
import { useMayOn } from "../lib/me.ts";
import type { RunPage, Shape } from "../lib/model.ts";
import { count } from "../lib/number.ts";
import { reduce_run } from "../lib/reduce.ts";
import { go, Link, path_of, query_set, useDialog, useQuery } from "../lib/router.tsx";
import { duration } from "../lib/time.ts";
import { ClearDialog, DeleteDialog, NoteDialog, RunStateDialog } from "../parts/actions.tsx";
import { copy, Empty, Icon, ICON, Loaded, Menu, Panel, Skeleton, Tabs, useKeys } from "../parts/basics.tsx";
import { Span, When } from "../parts/clock.tsx";
import { PageHead, useTitle } from "../parts/head.tsx";
import { Glyph, Meter, StateText, StateWord } from "../parts/state.tsx";
import { TriggerDialog } from "../parts/trigger.tsx";
import { WhyBox } from "../parts/why.tsx";
import { count_groups, state_of_letter, TASK_STATES, WORST } from "../states.ts";
import "../styles/run.css";

const Timeline = later(() => import("../parts/timeline.tsx"), <Skeleton rows={8} height={26} />);
const Diff = later(() => import("./run_diff.tsx"), <Skeleton rows={8} height={26} />);
const Events = later(() => import("../parts/audit.tsx"), <Skeleton rows={8} height={26} />);

export const RUN_TABS: [string, string][] = [["", "Tasks"], ["graph", "Graph"], ["gantt", "Timeline"], ["diff", "Diff with last good"], ["events", "Audit"], ["details", "Details"]];
const ROWS_AT_ONCE = 250;

function RunSentence({ page, shape }: { page: RunPage; shape: Shape | null }) {
  const { run } = page;
  const failed = page.errors[0];
  if (run.state === "failed" && failed && shape) {
    const blocked = [...page.st].filter((l) => l === "u").length;
    const id = shape.id[failed[0]];
    return <div className="note bad"><Link to={path_of.task(page.dag_id, run.run_id, id, failed[1])}>{id}{failed[1] >= 0 ? `[${failed[1]}]` : ""}</Link> failed after {failed[2]} {failed[2] === 1 ? "try" : "tries"}: <code className="pre">{failed[3]}</code>{blocked > 0 && <>; {count(blocked)} {blocked === 1 ? "task is" : "tasks are"} blocked by it.</>}</div>;
  }
  if (run.state === "queued" || (run.state === "running" && ![...page.st].some((l) => "rq".includes(l)))) return <WhyBox dag={page.dag_id} run={run.run_id} map={-1} state={run.state} />;
  return null;
}

function TaskTable({ page, shape }: { page: RunPage; shape: Shape }) {
  const text = useQuery("q").toLowerCase();
  const only = useQuery("state");
  const [limit, set_limit] = useState(ROWS_AT_ONCE);
  const [selected, set_selected] = useState<Set<number>>(new Set());
  const [dialog, set_dialog] = useState(false);
  const may = useMayOn(shape.dag_id)("tasks.edit");
  const mapped = useMemo(() => new Map(page.mapped.map(([o, ...c]) => [o, c])), [page.mapped]);
  const errors = useMemo(() => new Map(page.errors.map((e) => [e[0], e])), [page.errors]);
  const tasks = useMemo(() => shape.kind.flatMap((k, o) => (k === 1 ? [] : [o])), [shape]);
  // Attention first as it was when the page opened: rows do not jump while one reads.
  const order = useMemo(() => [...tasks].sort((a, b) => rank(page.st[a]) - rank(page.st[b]) || (page.start[a] ?? Infinity) - (page.start[b] ?? Infinity) || a - b), [shape, page.run.key]);
  const rows = order.filter((o) => (!text || shape.id[o].toLowerCase().includes(text)) && (!only || state_of_letter(page.st[o]).name === only));
  const tally = useMemo(() => { const t = new Map<string, number>(); for (const o of tasks) t.set(page.st[o], (t.get(page.st[o]) ?? 0) + 1); return t; }, [page.st, tasks]);
  const toggle = (o: number) => { const next = new Set(selected); if (!next.delete(o)) next.add(o); set_selected(next); };
  return (
    <>
      <div className="toolbar">
        <input type="search" className="input" placeholder="Filter tasks" aria-label="Filter tasks" defaultValue={text} onChange={(e) => query_set({ q: e.target.value })} />
        <button className="chip" aria-pressed={!only} onClick={() => query_set({ state: null })}>All <span className="num">{count(tasks.length)}</span></button>
        {TASK_STATES.filter((s) => tally.get(s.letter)).map((s) => <button key={s.name} className="chip" aria-pressed={only === s.name} onClick={() => query_set({ state: only === s.name ? null : s.name })}><Glyph state={s.name} />{s.word} <span className="num">{count(tally.get(s.letter)!)}</span></button>)}
        <span className="grow" />
        {selected.size > 0 && may && <button className="button small" onClick={() => set_dialog(true)}>Clear {selected.size} selected…</button>}
      </div>
      <Panel flush>
        {rows.length === 0 ? <Empty title="No task fits this filter."><button className="button small" onClick={() => query_set({ q: null, state: null })}>Clear the filter</button></Empty> : (
          <div className="scroll-x" tabIndex={0} role="group" aria-label="Table">
            <table className="table tasks">
              <thead><tr>{may && <th className="phone-off"><span className="visually-hidden">Select</span></th>}<th>State</th><th>Task</th><th className="phone-off">Operator</th><th className="right">Try</th><th className="right phone-off"><div className="cell-span">Waited</div></th><th className="right"><div className="cell-span">Ran</div></th><th className="phone-off"><div className="cell-at">Started</div></th><th className="phone-off"><div className="cell-worker">Worker</div></th></tr></thead>
              <tbody>
                {rows.slice(0, limit).map((o) => {
                  const m = mapped.get(o);
                  const error = errors.get(o);
                  return (
                    <tr key={o} aria-selected={selected.has(o)}>
                      {may && <td className="phone-off cell-check"><label className="check"><input type="checkbox" aria-label={`Select ${shape.id[o]}`} checked={selected.has(o)} onChange={() => toggle(o)} /></label></td>}
                      <td className="cell-state"><StateWord letter={page.st[o]} /></td>
                      <td>
                        <div className="row"><Link className="strong" to={path_of.task(page.dag_id, page.run.run_id, shape.id[o])}>{shape.id[o]}</Link>
                          {m && <><span className="mapped-meter"><Meter label={`${m[3]} of ${m[0]} good, ${m[4]} bad, ${m[2]} active`} parts={[{ kind: "good", share: m[3] / m[0] }, { kind: "active", share: m[2] / m[0] }, { kind: "bad", share: m[4] / m[0] }]} /></span><span className="muted num nowrap">{count(m[3] + m[4])}/{count(m[0])}</span></>}
                        </div>
                        {error && <div className="bad-text mono clip error-cell" title={error[3]}>{error[3]}</div>}
                      </td>
                      <td className="muted phone-off">{shape.op[o]}</td>
                      <td className="right num">{page.try[o] || <span className="faint">0</span>}</td>
                      <td className="right num phone-off">{page.start[o] !== null && page.queued[o] !== null ? duration(page.start[o]! - page.queued[o]!) : <span className="faint">—</span>}</td>
                      <td className="right"><Span start={page.start[o]} end={"rqz".includes(page.st[o]) ? null : page.end[o] ?? page.start[o]} /></td>
                      <td className="phone-off"><When at={page.start[o]} time_only /></td>
                      <td className="phone-off">{page.worker[o] ? <Link to={path_of.worker(page.worker[o]!)}>{page.worker[o]}</Link> : <span className="faint">—</span>}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        )}
        {rows.length > limit && <div className="empty"><button className="button" onClick={() => set_limit(limit + 1000)}>Show more ({count(rows.length - limit)} are not shown)</button></div>}
      </Panel>
      {dialog && <ClearDialog dag={page.dag_id} run={page.run.run_id} tasks={[...selected].map((o) => shape.id[o])} only_failed={false} onClose={() => { set_dialog(false); set_selected(new Set()); }} />}
    </>
  );
}

function rank(letter: string): number {
  const at = WORST.indexOf(letter);
  return at < 0 ? 99 : at;
}

function Details({ page }: { page: RunPage }) {
  const { run } = page;
  return (
    <div className="columns">
      <div>
        <Panel title="Run">
          <dl className="facts">
            <dt>Run id</dt><dd className="mono">{run.run_id}</dd><dt>Type</dt><dd>{run.run_type}</dd><dt>Cause</dt><dd>{run.cause ?? "—"}{run.triggered_by && ` (${run.triggered_by})`}</dd>
            <dt>Logical date</dt><dd><When at={run.logical_date} /></dd><dt>Data interval</dt><dd><When at={run.data_interval_start} /> to <When at={run.data_interval_end} /></dd>
            <dt>Due</dt><dd><When at={run.run_after} /></dd><dt>Queued</dt><dd><When at={run.queued_at} /></dd><dt>Started</dt><dd><When at={run.start} /></dd><dt>Ended</dt><dd><When at={run.end} /></dd>
            <dt>DAG version</dt><dd>{run.version} <span className="muted mono">{run.hash}</span></dd>
          </dl>
        </Panel>
      </div>
      <div>
        <Panel title="Configuration"><pre className="code" tabIndex={0}>{JSON.stringify(run.conf ?? {}, null, 2)}</pre></Panel>
        {run.params && <Panel title="Params"><pre className="code" tabIndex={0}>{JSON.stringify(run.params, null, 2)}</pre></Panel>}
      </div>
    </div>
  );
}

export default function Run({ params }: { params: Record<string, string> }) {
  const { dag, run: run_id, tab = "" } = params;
  const [dialog, set_dialog] = useDialog();
  const [version, set_version] = useState<number | null>(null);
  const shape = useFetch<Shape>(version === null ? null : url_of.shape(dag, version));
  const page = useFollow<RunPage>(url_of.run(dag, run_id), [`run:${encodeURIComponent(dag)}/${encodeURIComponent(run_id)}`], (data, event, gate) => reduce_run(data, event, gate, shape.data));
  const run = page.data?.run;
  useEffect(() => { if (run) set_version(run.version); }, [run?.version]);
  useTitle(`${dag} · ${run_id}`, run?.state);
  const may = useMayOn(dag);
  const may_tasks = may("tasks.edit");
  const may_runs = may("runs.edit");
  const may_trigger = may("runs.trigger");
  const is_open = run?.state === "running" || run?.state === "queued";
  const counts = useMemo(() => count_groups(page.data?.st ?? ""), [page.data?.st]);
  // What a tab is drawn with comes beside what it shows, not after it.
  useEffect(() => { void ({ graph: Graph, gantt: Timeline, diff: Diff } as Record<string, { load: () => Promise<void> }>)[tab]?.load().catch(() => undefined); }, [tab]);
  useKeys([
    { key: "c", what: "Clear tasks of this run", run: () => set_dialog("clear") },
    { key: "[", what: "The run before", run: () => page.data?.older && go(path_of.run(dag, page.data.older, tab)) },
    { key: "]", what: "The run after", run: () => page.data?.newer && go(path_of.run(dag, page.data.newer, tab)) },
    { key: "b", what: "Diff with the last good run", run: () => go(path_of.run(dag, run_id, "diff")) },
    { key: "y", what: "Copy the link", run: () => void copy(location.href, "Link") },
    ...RUN_TABS.map(([id, name], i) => ({ key: String(i + 1), what: name, run: () => go(path_of.run(dag, run_id, id)) })),
  ]);
  if (page.error?.status === 404) return <Empty whole title="There is no such run."><span className="mono">{run_id}</span><Link className="button" to={path_of.dag(dag)}>All runs of {dag}</Link></Empty>;
  return (
    <>
      <PageHead crumbs={[["DAGs", "/dags"], [dag, path_of.dag(dag)]]}
        title={<>{run && <Glyph state={run.state} big label />}<h1>{run_id}</h1></>}
        actions={run && <>
          <span className="row tight">
            <button className="button icon" disabled={!page.data!.older} aria-label="The run before" title="The run before  [" onClick={() => go(path_of.run(dag, page.data!.older!, tab))}>‹</button>
            <button className="button icon" disabled={!page.data!.newer} aria-label="The run after" title="The run after  ]" onClick={() => go(path_of.run(dag, page.data!.newer!, tab))}>›</button>
          </span>
          {may_tasks && <button className={`button ${counts.bad ? "primary" : ""}`} onClick={() => set_dialog("clear")}>{counts.bad ? "Clear failed…" : "Clear…"} <kbd className="phone-off">c</kbd></button>}
          {may_runs && <button className="button" disabled={!is_open} title={is_open ? "" : "It has ended"} onClick={() => set_dialog("stop")}>Stop…</button>}
          <Menu name="More actions" label={<Icon d={ICON.more} />}>
            {may_trigger && <button onClick={() => set_dialog("again")}>Run again with the same conf…</button>}
            {may_runs && <button onClick={() => set_dialog("note")}>{run.note ? "Edit note…" : "Add note…"}</button>}
            {may_runs && <button onClick={() => set_dialog("good")}>Mark succeeded…</button>}
            <button onClick={() => void copy(`headrace tasks states-for-dag-run ${dag} '${run_id}'`, "Command")}>Copy CLI command</button>
            {may_runs && <><hr /><button className="bad-text" onClick={() => set_dialog("delete")}>Delete run…</button></>}
          </Menu>
        </>}
        meta={run && <>
          <StateText state={run.state} />
          <span>Took <b><Span start={run.start} end={run.end} /></b></span>
          <span>Started <b><When at={run.start} /></b></span>
          <span>Waited <b>{run.start && run.queued_at ? duration(run.start - run.queued_at) : "—"}</b></span>
          <span>{run.run_type}{run.triggered_by ? ` by ${run.triggered_by}` : ""}</span>
          <span>Version <b>{run.version}</b></span>
          <span><b className="num">{count(counts.good + counts.bad)}</b> of <b className="num">{count(counts.total)}</b> tasks ended{counts.skipped ? <>, {count(counts.skipped)} skipped</> : null}{counts.bad ? <>, <b className="bad-text">{count(counts.bad)} failed or blocked</b></> : null}</span>
        </>} />
      {page.data && <RunProgress counts={counts} />}
      {run?.note && <div className="note">{run.note}</div>}
      {page.data && <RunSentence page={page.data} shape={shape.data} />}
      <Tabs current={tab} tabs={RUN_TABS.map(([id, name]) => ({ id, name, to: path_of.run(dag, run_id, id) }))} />
      <Loaded from={page} rows={12}>
        {(data) => (
          <Loaded from={shape} rows={10}>
            {(s) => tab === "" ? <TaskTable key={run_id} page={data} shape={s} /> : (
              <>
                {tab === "graph" && <Panel flush><Graph shape={s} st={data.st} mapped={data.mapped} onOpen={(o) => go(path_of.task(dag, run_id, s.id[o]))} /></Panel>}
                {tab === "gantt" && <Timeline page={data} shape={s} />}
                {tab === "diff" && <Diff page={data} shape={s} />}
                {tab === "events" && <Events dag={dag} run={run_id} />}
                {tab === "details" && <Details page={data} />}
              </>
            )}
          </Loaded>
        )}
      </Loaded>
      {dialog === "clear" && <ClearDialog dag={dag} run={run_id} only_failed={counts.bad > 0} onClose={() => set_dialog("")} />}
      {dialog === "stop" && <RunStateDialog dag={dag} run={run_id} state="failed" onClose={() => set_dialog("")} />}
      {dialog === "good" && <RunStateDialog dag={dag} run={run_id} state="success" onClose={() => set_dialog("")} />}
      {dialog === "note" && <NoteDialog dag={dag} run={run_id} note={run?.note ?? null} onClose={() => { set_dialog(""); page.refetch(); }} />}
      {dialog === "again" && <TriggerDialog dag={dag} conf={run?.conf} onClose={() => set_dialog("")} />}
      {dialog === "delete" && <DeleteDialog what="run" name={run_id} path={url_of.run2(dag, run_id)} onClose={() => set_dialog("")} onDone={() => go(path_of.dag(dag))} />}
    </>
  );
}

/* How far it is, in one line: what has ended, what runs. What waits is the empty rest. */
function RunProgress({ counts }: { counts: ReturnType<typeof count_groups> }) {
  const n = Math.max(1, counts.total);
  return <div className="progress"><Meter label={`${counts.good - counts.skipped} succeeded, ${counts.skipped} skipped, ${counts.bad} bad, ${counts.active} active, ${counts.waiting + counts.idle} to come`} parts={[{ kind: "good", share: (counts.good - counts.skipped) / n }, { kind: "skipped", share: counts.skipped / n }, { kind: "bad", share: counts.bad / n }, { kind: "active", share: counts.active / n }]} /></div>;
}
