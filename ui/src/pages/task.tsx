// SPDX-License-Identifier: Apache-2.0
/* task - one task of one run: its log first, then its tries, what it gave, why it is where it is. */
import { useEffect } from "react";
import { url_of } from "../lib/api.ts";
import { later } from "../lib/later.tsx";
import { useFollow } from "../lib/live.ts";
import { useMayOn } from "../lib/me.ts";
import type { Snapshot, TaskPage, Try } from "../lib/model.ts";
import { bytes, count } from "../lib/number.ts";
import { type Reduced, reduce_refetch, REFETCH } from "../lib/reduce.ts";
import type { StreamEvent, TiChange } from "../lib/stream.ts";
import { go, Link, path_of, query_set, useDialog, useQuery } from "../lib/router.tsx";
import { duration } from "../lib/time.ts";
import { ClearDialog, MarkDialog } from "../parts/actions.tsx";
import { copy, Empty, Icon, ICON, Loaded, Menu, Panel, Skeleton, Tabs, useKeys } from "../parts/basics.tsx";
import { Span, When } from "../parts/clock.tsx";
import { Comparison } from "../parts/comparison.tsx";
import { PageHead, useTitle } from "../parts/head.tsx";
import { Glyph, StateText, StateWord } from "../parts/state.tsx";
import { WhyBox } from "../parts/why.tsx";
import { is_final } from "../states.ts";

const Log = later(() => import("../log/log.tsx"), <Skeleton rows={12} />);
const MappedMap = later(() => import("../parts/mapped.tsx"), <Skeleton rows={10} />);
const Resources = later(() => import("../parts/resources.tsx"), <Skeleton rows={10} />);
const Audit = later(() => import("../parts/audit.tsx"), <Skeleton rows={10} />);

function Attempts({ page }: { page: TaskPage }) {
  if (!page.tries.length) return <Panel><Empty title="It has not been tried yet." /></Panel>;
  return (
    <Panel flush>
      <div className="scroll-x" tabIndex={0} role="group" aria-label="Table"><table className="table">
        <thead><tr><th>Try</th><th>State</th><th>Started</th><th className="right">Waited</th><th className="right">Ran</th><th>Worker</th><th className="right">Exit</th><th className="right">CPU</th><th className="right">Memory</th><th className="right">Log</th><th>Error</th></tr></thead>
        <tbody>{[...page.tries].reverse().map((t) => (
          <tr key={t.try}>
            <td className="num">{t.try}</td><td><StateWord state={t.state} /></td><td><When at={t.start} /></td>
            <td className="right num">{t.start && t.queued_at ? duration(t.start - t.queued_at) : "—"}</td><td className="right"><Span start={t.start} end={t.end} /></td>
            <td>{t.worker ? <Link to={path_of.worker(t.worker)}>{t.worker}</Link> : "—"}{t.pid !== null && <span className="muted"> pid {t.pid}</span>}</td>
            <td className="right num">{t.signal ? `signal ${t.signal}` : t.exit_code ?? "—"}</td><td className="right num">{duration(t.cpu_ms)}</td><td className="right num">{bytes(t.memory_peak_bytes)}</td>
            <td className="right"><Link to={`${path_of.task(page.dag_id, page.run_id, page.task_id, page.map_index)}?try=${t.try}`}>{t.log_lines === null ? "log" : `${count(t.log_lines)} lines`}</Link></td>
            <td className="bad-text mono clip try-error" title={t.error ?? ""}>{t.error}</td>
          </tr>
        ))}</tbody>
      </table></div>
    </Panel>
  );
}

function History({ page }: { page: TaskPage }) {
  if (!page.history.length) return <Panel><Empty title="Nothing has happened to it yet." /></Panel>;
  return (
    <Panel flush>
      <div className="scroll-x" tabIndex={0} role="group" aria-label="Table"><table className="table">
        <thead><tr><th>When</th><th className="right">After</th><th>From</th><th>To</th><th className="right">Try</th><th>Why</th><th>By</th></tr></thead>
        <tbody>{page.history.map((h, i) => (
          <tr key={i}><td><When at={h.at} /></td><td className="right num muted">{i ? duration(h.at - page.history[i - 1].at) : ""}</td><td><StateWord state={h.from} /></td><td><StateWord state={h.to} /></td><td className="right num">{h.try}</td><td>{h.sentence}</td><td className="muted">{h.actor}</td></tr>
        ))}</tbody>
      </table></div>
    </Panel>
  );
}

function Details({ page }: { page: TaskPage }) {
  const link = (id: string) => <Link key={id} to={path_of.task(page.dag_id, page.run_id, id)}>{id}</Link>;
  const last = page.tries.at(-1);
  const list = (ids: string[]) => (ids.length ? ids.flatMap((id, i) => [i ? ", " : "", link(id)]) : "nothing");
  return (
    <div className="columns">
      <div><Panel title="Task"><dl className="facts">
        <dt>Operator</dt><dd>{page.operator}</dd><dt>Trigger rule</dt><dd>{page.trigger_rule}</dd><dt>Runs after</dt><dd>{list(page.upstream)}</dd><dt>Runs before</dt><dd>{list(page.downstream)}</dd>
        <dt>Queue</dt><dd><Link to={path_of.queue(page.queue)}>{page.queue}</Link></dd><dt>Pool</dt><dd><Link to="/pools">{page.pool}</Link>, {page.pool_slots} {page.pool_slots === 1 ? "slot" : "slots"}</dd><dt>Priority</dt><dd>{page.priority_weight}</dd><dt>Tries at most</dt><dd>{page.max_tries}</dd>
      </dl></Panel></div>
      <div><Panel title="This instance"><dl className="facts">
        <dt>Run</dt><dd><Link to={path_of.run(page.dag_id, page.run_id)}>{page.run_id}</Link></dd><dt>DAG version</dt><dd>{page.version}</dd>{page.map_index >= 0 && <><dt>Map index</dt><dd>{page.map_index} {page.map_label}</dd></>}
        <dt>Ready</dt><dd><When at={page.scheduled_at} /></dd><dt>Queued</dt><dd><When at={page.queued_at} /></dd><dt>Started</dt><dd><When at={page.start} /></dd><dt>Ended</dt><dd><When at={page.end} /></dd>
        <dt>Worker</dt><dd>{page.worker ?? "—"}{page.host ? ` on ${page.host}` : ""}{page.pid ? `, pid ${page.pid}` : ""}</dd><dt>Used</dt><dd>{last?.cpu_ms != null || last?.memory_peak_bytes != null ? `${duration(last.cpu_ms)} of CPU, ${bytes(last.memory_peak_bytes)} of memory at most` : "not measured yet"}</dd><dt>Attempt</dt><dd className="mono">{last?.attempt_id ?? "—"}</dd>
      </dl></Panel></div>
    </div>
  );
}

function Output({ page }: { page: TaskPage }) {
  if (page.output === null || page.output === undefined) return <Panel><Empty title={page.output_bytes > 0 ? `The output has ${bytes(page.output_bytes)}: too much to show here.` : is_final(page.state) ? "It gave no output." : "No output yet."}><span>A task's output is what it writes to $HEADRACE_OUTPUT, or its last line.</span></Empty></Panel>;
  const text = JSON.stringify(page.output, null, 2);
  return <Panel title={`Output, ${bytes(page.output_bytes)}`} extra={<button className="button small" onClick={() => void copy(text, "Output")}>Copy</button>}><pre className="code" tabIndex={0}>{text}</pre></Panel>;
}

function Rendered({ page }: { page: TaskPage }) {
  if (!page.rendered) return <Panel><Empty title="Nothing is rendered before the task is dispatched." /></Panel>;
  return <div className="stack">{Object.entries(page.rendered).map(([name, value]) => <Panel key={name} title={name}><pre className="code" tabIndex={0}>{typeof value === "string" ? value : JSON.stringify(value, null, 2)}</pre></Panel>)}</div>;
}

function LogTab({ page }: { page: TaskPage }) {
  const asked = Number(useQuery("try"));
  const attempt: Try | undefined = page.tries.find((t) => t.try === asked) ?? page.tries.at(-1);
  const empty = attempt ? (attempt.end === null ? <Empty title="Running, no output yet."><Span start={attempt.start} end={null} /></Empty> : <Empty title="This try ended without output." />) : <Empty title={is_final(page.state) ? "It never ran, so there is no log." : "It has not started, so there is no log yet."} />;
  return (
    <>
      {page.tries.length > 1 && (
        <div className="row wrap" role="group" aria-label="Tries">{page.tries.map((t) => <button key={t.try} className="chip" aria-pressed={t.try === attempt?.try} onClick={() => query_set({ try: String(t.try) })}><Glyph state={t.state} />Try {t.try}</button>)}{asked > 0 && asked !== page.tries.at(-1)?.try && <button className="button small quiet" onClick={() => query_set({ try: null })}>Newest</button>}{attempt && attempt.try > page.tries[0].try && <Link className="button small quiet" to={`${path_of.task(page.dag_id, page.run_id, page.task_id, page.map_index, "attempts")}?compare=${attempt.try - 1},${attempt.try}`}>Compare with try {attempt.try - 1}</Link>}</div>
      )}
      {attempt ? <Log key={attempt.attempt_id} url={url_of.log(page.dag_id, page.run_id, page.task_id, page.map_index, attempt.try)} runs={attempt.end === null} attempt={attempt.attempt_id} empty={empty} /> : <Panel>{empty}</Panel>}
    </>
  );
}

function mine(dag: string, run: string, task: string, map: number) {
  return <T extends Snapshot>(page: T, event: StreamEvent): Reduced<T> => {
    if (event.name === "ti") return (event.data.c as TiChange[]).some((c) => c[0] === dag && c[1] === run && c[2] === task && (map < 0 || c[3] === map)) ? REFETCH : page;
    return reduce_refetch(page, event);
  };
}

export default function Task({ params }: { params: Record<string, string> }) {
  const { dag, run, task } = params;
  const map = params.map === undefined ? -1 : Number(params.map);
  const [dialog, set_dialog] = useDialog();
  const topics = [`run:${encodeURIComponent(dag)}/${encodeURIComponent(run)}`];
  const reduce = mine(dag, run, task, map);
  const page = useFollow<TaskPage>(url_of.task(dag, run, task, map), topics, reduce);
  const is_mapped = page.data?.is_mapped ?? false;
  const may = useMayOn(dag)("tasks.edit");
  const tabs: [string, string, number?][] = [...(is_mapped ? [["", "Instances"] as [string, string]] : [["", "Log"] as [string, string]]), ["attempts", "Attempts", page.data?.tries.length], ["xcom", "Output"], ["rendered", "Rendered"], ["history", "History", page.data?.history.length], ["resources", "Resources"], ["events", "Audit"], ["details", "Details"]];
  const tab = params.tab === "logs" || params.tab === "log" ? "" : params.tab ?? "";
  const state = is_mapped ? undefined : page.data?.state; // its instances have states, it has none
  // What it shows first comes beside the answer, not after it.
  useEffect(() => { if (tab === "") for (const part of [Log, MappedMap]) void part.load().catch(() => undefined); }, [tab]);
  useTitle(`${task}${map >= 0 ? `[${map}]` : ""} · ${dag}`, state);
  useKeys([
    { key: "c", what: "Clear this task", run: () => may && set_dialog("clear") },
    { key: "m", what: "Mark this task", run: () => may && set_dialog("mark") },
    { key: "l", what: "Log", run: () => go(path_of.task(dag, run, task, map)) },
    { key: "u", what: "Copy the CLI command", run: () => void copy(`headrace tasks logs ${dag} '${run}' ${task}`, "Command") },
    { key: "y", what: "Copy the link", run: () => void copy(location.href, "Link") },
    ...["", "attempts", "xcom", "rendered", "history", "resources"].map((id, i) => ({ key: String(i + 1), what: ["Log", "Attempts", "Output", "Rendered", "History", "Resources"][i], run: () => go(path_of.task(dag, run, task, map, id)) })),
  ]);
  if (page.error?.status === 404) return <Empty whole title="There is no such task in this run."><span className="mono">{task}</span><Link className="button" to={path_of.run(dag, run)}>All tasks of the run</Link></Empty>;
  const data = page.data;
  return (
    <>
      <PageHead crumbs={[["DAGs", "/dags"], [dag, path_of.dag(dag)], [run, path_of.run(dag, run)], ...(map >= 0 ? [[task, path_of.task(dag, run, task)] as [string, string]] : [])]}
        title={<>{state && <Glyph state={state} big label />}<h1>{map >= 0 ? `${task}[${map}]` : task}</h1>{data?.map_label && <span className="muted">{data.map_label}</span>}</>}
        actions={data && <>
          {may && <button className={`button ${data.state === "failed" ? "primary" : ""}`} onClick={() => set_dialog("clear")}>Clear… <kbd className="phone-off">c</kbd></button>}
          {may && <button className="button" onClick={() => set_dialog("mark")}>Mark… <kbd className="phone-off">m</kbd></button>}
          <Menu name="More actions" label={<Icon d={ICON.more} />}>
            <Link to={path_of.dag_task(dag, task)}>This task in all runs</Link>
            <button onClick={() => void copy(`headrace tasks logs ${dag} '${run}' ${task}`, "Command")}>Copy CLI command</button>
            <button onClick={() => void copy(location.href, "Link")}>Copy link</button>
          </Menu>
        </>}
        meta={data && <>
          {state && <StateText state={state} />}
          {data.try > 0 && <span>Try <b>{data.try}</b> of <b>{data.max_tries}</b></span>}
          {state && <span>Ran <b><Span start={data.start} end={data.end} /></b></span>}
          {data.start && data.queued_at && <span>Waited <b>{duration(data.start - data.queued_at)}</b></span>}
          {data.worker && <span>on <Link to={path_of.worker(data.worker)}>{data.worker}</Link>{data.host ? ` (${data.host})` : ""}</span>}
          <span>{data.operator}</span><span>pool {data.pool}</span>
        </>} />
      {data && state && <WhyBox dag={dag} run={run} task={task} map={map} state={state} error={data.error} />}
      <Tabs current={tab} tabs={tabs.map(([id, name, n]) => ({ id, name, n, to: path_of.task(dag, run, task, map, id) }))} />
      <Loaded from={page} rows={12}>
        {(d) => (
          <>
            {tab === "" && (is_mapped ? <MappedMap page={d} /> : <LogTab page={d} />)}
            {tab === "attempts" && <><Attempts page={d} /><Comparison page={d} /></>}
            {tab === "xcom" && <Output page={d} />}
            {tab === "rendered" && <Rendered page={d} />}
            {tab === "history" && <History page={d} />}
            {tab === "resources" && <Resources page={d} topics={topics} reduce={reduce} />}
            {tab === "events" && <Audit dag={dag} run={run} task={task} />}
            {tab === "details" && <Details page={d} />}
          </>
        )}
      </Loaded>
      {dialog === "clear" && <ClearDialog dag={dag} run={run} tasks={[map >= 0 ? [task, map] : task]} only_failed={false} onClose={() => set_dialog("")} />}
      {dialog === "mark" && <MarkDialog dag={dag} run={run} task={task} map={map} onClose={() => set_dialog("")} />}
    </>
  );
}
