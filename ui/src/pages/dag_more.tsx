// SPDX-License-Identifier: Apache-2.0
/* dag_more - the quieter views of a DAG: calendar, trends, tasks, versions, code, details; backfills have a file of their own. */
import { useMemo, useState } from "react";
import { server_now, url_of, V1, V2 } from "../lib/api.ts";
import { useFetch } from "../lib/live.ts";
import type { Cells, DagDetails, RunBars, Shape } from "../lib/model.ts";
import { median } from "../lib/number.ts";
import { diff_lines } from "../lib/diff.ts";
import { later } from "../lib/later.tsx";
import { go, Link, path_of, query_set, useQuery } from "../lib/router.tsx";
import { date, duration, label_of_runs, parse_rfc3339 } from "../lib/time.ts";
import { Empty, Loaded, Panel, Skeleton } from "../parts/basics.tsx";
import Audit from "../parts/audit.tsx";
import { Span, useZone, When } from "../parts/clock.tsx";
import { Markdown } from "../parts/markdown.tsx";
import { Glyph, StateWord } from "../parts/state.tsx";
import { RUN_LETTERS, state_of_letter } from "../states.ts";
import Backfills from "./backfills.tsx";
import "../styles/dag.css";

const Chart = later(() => import("../parts/chart.tsx"), <Skeleton rows={6} />);
const DAY = 86_400_000;

function Runs({ dag }: { dag: string }) {
  const [before, set_before] = useState<number | null>(null);
  const cells = useFetch<Cells>(url_of.cells(dag, 50, before));
  return (
    <Loaded from={cells}>{(c) => (
      <Panel flush>
        {c.runs.id.length === 0 ? <Empty title="No runs." /> : <div className="scroll-x" tabIndex={0} role="group" aria-label="Table"><table className="table">
          <thead><tr><th>State</th><th>Run</th><th className="phone-off">Type</th><th>Started</th><th className="right">Took</th><th className="right phone-off">Tasks that failed</th><th className="right phone-off">Version</th><th className="phone-off">Note</th></tr></thead>
          <tbody>{c.runs.id.map((id, i) => <tr key={c.runs.key[i]}><td><StateWord state={RUN_LETTERS[c.runs.state[i]]} /></td><td><Link className="strong" to={path_of.run(dag, id)}>{id}</Link></td><td className="phone-off muted">{c.runs.type[i]}</td><td><When at={c.runs.start[i] ?? c.runs.run_after[i]} /></td><td className="right"><Span start={c.runs.start[i]} end={c.runs.end[i]} /></td><td className="right num phone-off">{[...c.st[i]].filter((l) => l === "f").length}</td><td className="right num phone-off">{c.runs.version[i]}</td><td className="phone-off muted clip note-cell">{c.runs.note[i]}</td></tr>)}</tbody>
        </table></div>}
        <div className="empty"><div className="row">{before !== null && <button className="button" onClick={() => set_before(null)}>Newest</button>}{c.more && <button className="button" onClick={() => set_before(c.runs.key[c.runs.key.length - 1])}>Older runs</button>}</div></div>
      </Panel>
    )}</Loaded>
  );
}

function Calendar({ dag }: { dag: string }) {
  const zone = useZone();
  const [to] = useState(() => Math.ceil((server_now() + 14 * DAY) / DAY) * DAY);
  const from = to - 26 * 7 * DAY;
  const data = useFetch<{ days: [string, number, number, number, number][] }>(`${V1}/ui/calendar/${encodeURIComponent(dag)}?from=${from}&to=${to}&timezone=${encodeURIComponent(zone)}`);
  return (
    <Loaded from={data}>{(d) => {
      const by_day = new Map(d.days.map((x) => [x[0], x]));
      const first = new Date(from);
      const start = from - ((first.getUTCDay() + 6) % 7) * DAY; // Monday
      const weeks = Array.from({ length: Math.ceil((to - start) / (7 * DAY)) }, (_, w) => Array.from({ length: 7 }, (_, k) => new Date(start + (w * 7 + k) * DAY).toISOString().slice(0, 10)));
      const today = date(server_now(), zone);
      return (
        <Panel title="Days, by the worst that happened" extra={<span className="muted">{zone}</span>}>
          <div className="scroll-x" tabIndex={0} role="group" aria-label="Table"><div className="calendar" role="table" aria-label="Runs by day">
            {["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].map((name, k) => (
              <div key={name} role="row" className="calendar-row"><span role="rowheader" className="muted">{name}</span>
                {weeks.map((week) => {
                  const day = week[k];
                  const [, good, bad, active, planned] = by_day.get(day) ?? [day, 0, 0, 0, 0];
                  const state = bad ? "failed" : active ? "running" : good ? "success" : planned ? "queued" : "none";
                  const words = `${day}: ${good} succeeded, ${bad} failed${active ? `, ${active} active` : ""}${planned ? `, ${planned} planned` : ""}`;
                  return <span key={day} role="cell" className={`day st-${state}${day === today ? " today" : ""}`} title={words} aria-label={words}>{bad + good + active + planned > 1 ? bad || good + active + planned : ""}</span>;
                })}
              </div>
            ))}
            <div className="calendar-row" aria-hidden="true"><span />{weeks.map((week, w) => <span key={week[0]} className="month faint">{w === 0 || week[0].slice(5, 7) !== weeks[w - 1][0].slice(5, 7) ? week[0].slice(5, 7) : ""}</span>)}</div>
          </div></div>
          <div className="row wrap muted" style={{ paddingTop: 10 }}><span className="row tight"><Glyph state="success" />all succeeded</span><span className="row tight"><Glyph state="failed" />something failed (how many)</span><span className="row tight"><Glyph state="running" />running</span><span className="row tight"><Glyph state="queued" />planned</span></div>
        </Panel>
      );
    }}</Loaded>
  );
}

interface TrendData { runs: Pick<RunBars, "key" | "id" | "state" | "start" | "end"> & { version: number[] }; tasks: { id: string[]; run_ms: (number | null)[][]; wait_ms: (number | null)[][]; tries: (number | null)[][] } }

function Trends({ dag, task }: { dag: string; task?: string }) {
  const zone = useZone();
  const data = useFetch<TrendData>(`${V1}/ui/trends/${encodeURIComponent(dag)}?runs=100`);
  return (
    <Loaded from={data}>{(d) => {
      if (!d.runs.id.length) return <Panel><Empty title="No runs to compare yet." /></Panel>;
      const x = d.runs.id.map((_, i) => i);
      const total = d.runs.id.map((_, i) => (d.runs.start[i] !== null && d.runs.end[i] !== null ? d.runs.end[i]! - d.runs.start[i]! : null));
      const failed = total.map((t, i) => (d.runs.state[i] === "f" ? t : null));
      const marks = x.filter((i) => i > 0 && d.runs.version[i] !== d.runs.version[i - 1]).map((i) => ({ at: i, text: `version ${d.runs.version[i]}` }));
      const label = label_of_runs(d.runs.start, zone);
      const rows = d.tasks.id.map((id, t) => {
        const half = Math.floor(x.length / 2);
        const known = (list: (number | null)[]) => list.filter((v): v is number => v !== null);
        const before = median(known(d.tasks.run_ms[t].slice(0, half)));
        const after = median(known(d.tasks.run_ms[t].slice(half)));
        return { id, t, med: median(known(d.tasks.run_ms[t])), max: Math.max(0, ...known(d.tasks.run_ms[t])), wait: median(known(d.tasks.wait_ms[t])), retried: d.tasks.tries[t].filter((n) => (n ?? 0) > 1).length, factor: before && after ? after / before : null };
      }).filter((r) => !task || r.id === task).sort((a, b) => (b.med ?? 0) - (a.med ?? 0));
      const open = task ? d.tasks.id.indexOf(task) : -1;
      return (
        <div className="stack">
          <Panel title={task ? `How long ${task} took` : "How long the runs took"}>
            <Chart at={x} x_text={label} format={(v) => duration(v)} height={200} label="Durations by run" marks={marks} onClick={(i) => go(path_of.run(dag, d.runs.id[i]))}
              series={open >= 0 ? [{ name: "Ran", group: "active", values: d.tasks.run_ms[open], fill: true }, { name: "Waited", group: "waiting", values: d.tasks.wait_ms[open], dash: [4, 3] }] : [{ name: "Run", group: "active", values: total, fill: true }, { name: "Failed", group: "bad", values: failed, points: true }]} />
          <p className="muted">A dotted line is a new version. A click opens the run.</p></Panel>
          <Panel flush title="By task, over these runs"><div className="scroll-x" tabIndex={0} role="group" aria-label="Table"><table className="table">
            <thead><tr><th>Task</th><th className="right">Median</th><th className="right">Longest</th><th className="right">Waited</th><th className="right">Retried</th><th className="right">Newer half against older</th></tr></thead>
            <tbody>{rows.slice(0, 200).map((r) => <tr key={r.id}><td><Link to={path_of.dag_task(dag, r.id)}>{r.id}</Link></td><td className="right num">{duration(r.med)}</td><td className="right num">{duration(r.max)}</td><td className="right num">{duration(r.wait)}</td><td className="right num">{r.retried}</td><td className={`right num${r.factor && r.factor > 1.5 ? " warn-text" : ""}`}>{r.factor ? `${r.factor.toFixed(2)} ×` : "—"}</td></tr>)}</tbody>
          </table></div></Panel>
        </div>
      );
    }}</Loaded>
  );
}

function Tasks({ dag, shape }: { dag: string; shape: Shape }) {
  const q = useQuery("q").toLowerCase();
  const around = (o: number, mine: number[], others: number[]) => mine.flatMap((m, i) => (m === o ? [shape.name[others[i]]] : []));
  const tasks = shape.id.map((_, o) => o).filter((o) => shape.kind[o] !== 1 && (!q || shape.id[o].toLowerCase().includes(q)));
  return (
    <>
      <div className="toolbar"><input type="search" className="input" placeholder="Filter tasks" aria-label="Filter tasks" defaultValue={q} onChange={(e) => query_set({ q: e.target.value })} /></div>
      <Panel flush><div className="scroll-x" tabIndex={0} role="group" aria-label="Table"><table className="table">
        <thead><tr><th>Task</th><th>Operator</th><th className="phone-off">After</th><th className="phone-off">Before</th><th className="phone-off">Rule</th><th className="phone-off">Queue</th><th className="phone-off">Pool</th></tr></thead>
        <tbody>{tasks.slice(0, 400).map((o) => {
          const up = around(o, shape.to, shape.from);
          const down = around(o, shape.from, shape.to);
          const short = (list: string[]) => (list.length > 4 ? `${list.slice(0, 4).join(", ")} and ${list.length - 4} more` : list.join(", ") || "—");
          return <tr key={o}><td><Link className="strong" to={path_of.dag_task(dag, shape.id[o])}>{shape.id[o]}</Link>{shape.kind[o] === 2 && <span className="tag">mapped</span>}</td><td>{shape.op[o]}</td><td className="phone-off muted">{short(up)}</td><td className="phone-off muted">{short(down)}</td><td className="phone-off muted">{shape.rule[o]}</td><td className="phone-off muted">{shape.queue[o]}</td><td className="phone-off muted">{shape.pool[o]}</td></tr>;
        })}</tbody>
      </table></div>{tasks.length > 400 && <p className="empty">{tasks.length - 400} more: use the filter.</p>}</Panel>
    </>
  );
}

function OneTask({ dag, task, shape }: { dag: string; task: string; shape: Shape }) {
  const cells = useFetch<Cells>(url_of.cells(dag, 50, null));
  const o = shape.id.indexOf(task);
  return (
    <div className="stack">
      <Loaded from={cells}>{(c) => o < 0 ? <Panel><Empty title={`${task} is not in the newest version.`} /></Panel> : (
        <Panel flush title={`${task} in the last ${c.runs.id.length} runs`}><div className="scroll-x" tabIndex={0} role="group" aria-label="Table"><table className="table"><thead><tr><th>State</th><th>Run</th><th>Run started</th><th className="right">Version</th></tr></thead>
          <tbody>{c.runs.id.map((id, r) => <tr key={id}><td><StateWord state={state_of_letter(c.st[r][o] ?? "-").name} /></td><td><Link to={path_of.task(dag, id, task)}>{id}</Link></td><td><When at={c.runs.start[r]} /></td><td className="right num">{c.runs.version[r]}</td></tr>)}</tbody></table></div></Panel>
      )}</Loaded>
      <Trends dag={dag} task={task} />
    </div>
  );
}

interface Version { version_number: number; created_at: string; bundle_version: string | null }

function useSource(dag: string, version: number | null) {
  return useFetch<{ content: string; version_number: number }>(version === null ? null : `${V2}/dagSources/${encodeURIComponent(dag)}?version_number=${version}`);
}

function Versions({ dag }: { dag: string }) {
  const list = useFetch<{ dag_versions: Version[] }>(`${V2}/dags/${encodeURIComponent(dag)}/dagVersions?order_by=-version_number&limit=50`);
  const all = list.data?.dag_versions.map((v) => v.version_number) ?? [];
  const to = Number(useQuery("to")) || all[0] || null;
  const from = Number(useQuery("from")) || all[1] || null;
  const a = useSource(dag, from);
  const b = useSource(dag, to);
  const lines = useMemo(() => (a.data && b.data ? diff_lines(a.data.content, b.data.content) : null), [a.data, b.data]);
  return (
    <div className="dag-columns">
      <Panel flush title="Versions"><Loaded from={list}>{(d) => <table className="table"><thead><tr><th>Version</th><th>Since</th><th><span className="visually-hidden">Actions</span></th></tr></thead><tbody>{d.dag_versions.map((v) => <tr key={v.version_number} aria-selected={v.version_number === to}><td className="num strong">{v.version_number}</td><td><When at={parse_rfc3339(v.created_at)} /></td><td className="right"><button className="button small" onClick={() => query_set({ to: String(v.version_number), from: String(v.version_number - 1) })}>Changes</button></td></tr>)}</tbody></table>}</Loaded></Panel>
      <Panel flush title={from && to ? `From version ${from} to ${to}` : "Only one version"}>
        {!from ? <Empty title="There is nothing to compare." /> : !lines ? <div className="body"><Skeleton rows={8} /></div> : lines.every((l) => l.kind === "same") ? <Empty title="The text is the same." /> : (
          <pre className="diff" tabIndex={0} aria-label="Differences">{lines.filter((l, i) => l.kind !== "same" || lines.slice(Math.max(0, i - 3), i + 4).some((n) => n.kind !== "same")).map((l, i) => <div key={i} className={`diff-${l.kind}`}><span className="diff-n">{l.old_n ?? ""}</span><span className="diff-n">{l.new_n ?? ""}</span><span aria-hidden="true">{{ same: " ", old: "−", new: "+" }[l.kind]} </span>{l.text}</div>)}</pre>
        )}
      </Panel>
    </div>
  );
}

function Code({ dag, version }: { dag: string; version: number | null }) {
  const asked = Number(useQuery("version")) || version;
  const source = useSource(dag, asked);
  const list = useFetch<{ dag_versions: Version[] }>(`${V2}/dags/${encodeURIComponent(dag)}/dagVersions?order_by=-version_number&limit=50`);
  return (
    <Panel flush title="Source" extra={<select className="select" aria-label="Version" value={asked ?? ""} onChange={(e) => query_set({ version: e.target.value })}>{list.data?.dag_versions.map((v) => <option key={v.version_number} value={v.version_number}>version {v.version_number}</option>)}</select>}>
      <Loaded from={source}>{(s) => <pre className="diff" tabIndex={0} aria-label="Source">{s.content.replace(/\n$/, "").split("\n").map((l, i) => <div key={i} id={`L${i + 1}`}><span className="diff-n">{i + 1}</span>{l}</div>)}</pre>}</Loaded>
    </Panel>
  );
}

function Details({ dag }: { dag: string }) {
  const details = useFetch<DagDetails>(`${url_of.dag2(dag)}/details`);
  return (
    <Loaded from={details}>{(d) => (
      <div className="columns">
        <div>{d.doc_md && <Panel title="Documentation"><Markdown source={d.doc_md} /></Panel>}
          <Panel title="Params">{Object.keys(d.params ?? {}).length ? <dl className="facts">{Object.entries(d.params!).map(([name, p]) => [<dt key={name} className="mono">{name}</dt>, <dd key={`${name}v`}><code>{JSON.stringify(p?.value ?? null)}</code>{p?.description ? ` ${p.description}` : ""}</dd>])}</dl> : <p className="muted">It takes none.</p>}</Panel></div>
        <div><Panel title="Settings of this DAG"><dl className="facts">{Object.entries(d).filter(([k, v]) => !["doc_md", "params", "tags"].includes(k) && (typeof v !== "object" || v === null)).map(([k, v]) => [<dt key={k} className="mono">{k}</dt>, <dd key={`${k}v`}>{v === null ? <span className="faint">—</span> : String(v)}</dd>])}</dl></Panel></div>
      </div>
    )}</Loaded>
  );
}

export default function DagMore({ dag, tab, task, shape, version, zone }: { dag: string; tab: string; task?: string; shape: Shape | null; version: number | null; zone: string | null }) {
  if (task) return shape ? <OneTask dag={dag} task={task} shape={shape} /> : <Skeleton rows={8} />;
  switch (tab) {
    case "runs": return <Runs dag={dag} />;
    case "calendar": return <Calendar dag={dag} />;
    case "trends": return <Trends dag={dag} />;
    case "tasks": return shape ? <Tasks dag={dag} shape={shape} /> : <Skeleton rows={8} />;
    case "backfills": return zone ? <Backfills dag={dag} zone={zone} /> : <Skeleton rows={8} />;
    case "versions": return <Versions dag={dag} />;
    case "code": return <Code dag={dag} version={version} />;
    case "events": return <Audit dag={dag} />;
    case "details": return <Details dag={dag} />;
    default: return <Empty title="There is no such view."><Link className="button" to={path_of.dag(dag)}>Grid</Link></Empty>;
  }
}
