// SPDX-License-Identifier: Apache-2.0
/* gantt - rows of bars on one time axis: what waited, hatched, and what ran. The bar of a row that has a `detail` is a button that shows
 * it below; another row is one link. */
import { useState, type ReactNode } from "react";
import type { Axis } from "../lib/gantt.ts";
import { Link } from "../lib/router.tsx";
import { duration } from "../lib/time.ts";
import type { State } from "../states.ts";
import { Glyph } from "./state.tsx";
import "../styles/run.css";

export interface GanttRow { id: string; to: string; name: string; state: State; queued: number | null; start: number; end: number; title: string; marked?: boolean; current?: boolean; detail?: () => ReactNode }

function Name({ state, name }: GanttRow) {
  return <><Glyph state={state.name} label /><span className="clip">{name}</span></>;
}

function Bars({ row: { state, queued, start, end, marked }, pct }: { row: GanttRow; pct: (at: number) => number }) {
  // Beside the bar: after it, or before it where there is no room after it, or in it where there is none before either.
  const left_edge = pct(Math.min(start, queued ?? start));
  const place = pct(end) <= 82 ? { left: `${pct(end)}%` } : { right: left_edge > 12 ? `calc(${100 - left_edge}% + 6px)` : `calc(${100 - pct(end)}% + 8px)` };
  const is_inside = pct(end) > 82 && left_edge <= 12;
  return (
    <>
      {queued !== null && queued < start && <span className="gantt-wait" style={{ left: `${pct(queued)}%`, width: `${pct(start) - pct(queued)}%` }} />}
      <span className={`gantt-bar st-${state.name}${marked ? " critical" : ""}`} style={{ left: `${pct(start)}%`, width: `${Math.max(0, pct(end) - pct(start))}%` }} />
      <span className={`gantt-text num${is_inside ? " inside" : ""}`} style={place}>{duration(end - start)}</span>
    </>
  );
}

export function Gantt({ rows, axis, tick, label }: { rows: GanttRow[]; axis: Axis; tick: (at: number) => string; label: string }) {
  const [open, set_open] = useState<string | null>(null);
  const pct = (at: number) => axis.position(at) * 100;
  return (
    <div className="gantt" tabIndex={0} role="region" aria-label={label}>
      <div className="gantt-axis" aria-hidden="true"><span className="gantt-name" /><div>{axis.ticks.map((t) => <span key={t} className="gantt-tick num" style={{ left: `${pct(t)}%` }}>{tick(t)}</span>)}{axis.breaks.map((x, i) => <span key={i} className="gantt-break" style={{ left: `calc(${x * 100}% - 8px)` }} />)}</div></div>
      {rows.map((row) => row.detail ? (
        <div key={row.id}>
          <div className="gantt-row" title={row.title}>
            <Link className="gantt-name" to={row.to}><Name {...row} /></Link>
            <button className="gantt-track" aria-expanded={open === row.id} aria-label={`Log of ${row.name}, ran ${duration(row.end - row.start)}`} onClick={() => set_open(open === row.id ? null : row.id)}><Bars row={row} pct={pct} /></button>
          </div>
          {open === row.id && <div className="gantt-detail">{row.detail()}</div>}
        </div>
      ) : (
        <Link key={row.id} className="gantt-row" to={row.to} title={row.title} aria-current={row.current || undefined}>
          <span className="gantt-name"><Name {...row} /></span><span className="gantt-track"><Bars row={row} pct={pct} /></span>
        </Link>
      ))}
    </div>
  );
}
