// SPDX-License-Identifier: Apache-2.0
/* timeline - when each task of a run waited and ran. */
import { useMemo, useState } from "react";
import type { RunPage, Shape } from "../lib/model.ts";
import { axis_of, critical_path } from "../lib/gantt.ts";
import { Link, path_of } from "../lib/router.tsx";
import { clock, duration } from "../lib/time.ts";
import { state_of_letter } from "../states.ts";
import { Empty, Panel } from "./basics.tsx";
import { useTick, useZone } from "./clock.tsx";
import { Glyph } from "./state.tsx";

export default function Timeline({ page, shape }: { page: RunPage; shape: Shape }) {
  const zone = useZone();
  const live = page.run.end === null;
  const now = useTick(live);
  const [critical, set_critical] = useState(false);
  const [sort, set_sort] = useState("start");
  const tasks = useMemo(() => shape.kind.flatMap((k, o) => (k !== 1 && page.start[o] !== null ? [o] : [])), [shape, page.start]);
  const end_of = (o: number) => ("rqz".includes(page.st[o]) || page.end[o] === null ? now : page.end[o]!);
  const begin_of = (o: number) => Math.min(page.queued[o] ?? Infinity, page.start[o]!);
  const path = useMemo(() => (critical ? critical_path(page.end, shape.from, shape.to) : new Set<number>()), [critical, page.end, shape]);
  if (!tasks.length) return <Panel><Empty title="No task has started yet." /></Panel>;
  const axis = axis_of(tasks.map((o) => ({ from: begin_of(o), to: end_of(o) })), page.run.start ?? Infinity);
  const rows = [...tasks].sort((a, b) => (sort === "start" ? page.start[a]! - page.start[b]! : end_of(b) - page.start[b]! - (end_of(a) - page.start[a]!)) || a - b);
  const pct = (at: number) => axis.position(at) * 100;
  return (
    <Panel flush title="Timeline" extra={<>
      <label className="check"><input type="checkbox" checked={critical} onChange={(e) => set_critical(e.target.checked)} />Critical path</label>
      <select className="select" aria-label="Order" value={sort} onChange={(e) => set_sort(e.target.value)}><option value="start">By start</option><option value="duration">By duration</option></select>
    </>}>
      <div className="gantt" tabIndex={0} role="region" aria-label="Timeline of the tasks">
        <div className="gantt-axis" aria-hidden="true"><span className="gantt-name" style={{ background: "var(--surface)" }} /><div>{axis.ticks.map((t) => <span key={t} className="gantt-tick num" style={{ left: `${pct(t)}%` }}>{clock(t, zone)}</span>)}{axis.breaks.map((x, i) => <span key={i} className="gantt-break" style={{ left: `calc(${x * 100}% - 8px)` }} />)}</div></div>
        {rows.map((o) => {
          const start = page.start[o]!;
          const queued = page.queued[o];
          const end = end_of(o);
          const state = state_of_letter(page.st[o]);
          const right = pct(end) > 82;
          return (
            <Link key={o} className="gantt-row" to={path_of.task(page.dag_id, page.run.run_id, shape.id[o])} title={`${shape.id[o]}: ${state.word}\nwaited ${queued === null ? "—" : duration(start - queued)}, ran ${duration(end - start)}${page.try[o] > 1 ? `, try ${page.try[o]}` : ""}`}>
              <span className="gantt-name" style={{ background: "var(--surface)" }}><Glyph letter={page.st[o]} label /><span className="clip">{shape.id[o]}</span></span>
              <span className="gantt-track">
                {queued !== null && queued < start && <span className="gantt-wait" style={{ left: `${pct(queued)}%`, width: `${pct(start) - pct(queued)}%` }} />}
                <span className={`gantt-bar st-${state.name}${path.has(o) ? " critical" : ""}`} style={{ left: `${pct(start)}%`, width: `${Math.max(0, pct(end) - pct(start))}%` }} />
                <span className="gantt-text num" style={right ? { right: `calc(${100 - pct(Math.min(start, queued ?? start))}% + 6px)` } : { left: `${pct(end)}%` }}>{duration(end - start)}</span>
              </span>
            </Link>
          );
        })}
      </div>
    </Panel>
  );
}
