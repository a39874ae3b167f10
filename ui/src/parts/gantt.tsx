// SPDX-License-Identifier: Apache-2.0
/* gantt - rows of bars on one time axis: what waited, hatched, and what ran. */
import type { Axis } from "../lib/gantt.ts";
import { Link } from "../lib/router.tsx";
import { duration } from "../lib/time.ts";
import type { State } from "../states.ts";
import { Glyph } from "./state.tsx";
import "../styles/run.css";

export interface GanttRow { id: string; to: string; name: string; state: State; queued: number | null; start: number; end: number; title: string; marked?: boolean; current?: boolean }

export function Gantt({ rows, axis, tick, label }: { rows: GanttRow[]; axis: Axis; tick: (at: number) => string; label: string }) {
  const pct = (at: number) => axis.position(at) * 100;
  return (
    <div className="gantt" tabIndex={0} role="region" aria-label={label}>
      <div className="gantt-axis" aria-hidden="true"><span className="gantt-name" style={{ background: "var(--surface)" }} /><div>{axis.ticks.map((t) => <span key={t} className="gantt-tick num" style={{ left: `${pct(t)}%` }}>{tick(t)}</span>)}{axis.breaks.map((x, i) => <span key={i} className="gantt-break" style={{ left: `calc(${x * 100}% - 8px)` }} />)}</div></div>
      {rows.map(({ id, to, name, state, queued, start, end, title, marked, current }) => {
        const right = pct(end) > 82;
        return (
          <Link key={id} className="gantt-row" to={to} title={title} aria-current={current || undefined}>
            <span className="gantt-name" style={{ background: "var(--surface)" }}><Glyph state={state.name} label /><span className="clip">{name}</span></span>
            <span className="gantt-track">
              {queued !== null && queued < start && <span className="gantt-wait" style={{ left: `${pct(queued)}%`, width: `${pct(start) - pct(queued)}%` }} />}
              <span className={`gantt-bar st-${state.name}${marked ? " critical" : ""}`} style={{ left: `${pct(start)}%`, width: `${Math.max(0, pct(end) - pct(start))}%` }} />
              <span className="gantt-text num" style={right ? { right: `calc(${100 - pct(Math.min(start, queued ?? start))}% + 6px)` } : { left: `${pct(end)}%` }}>{duration(end - start)}</span>
            </span>
          </Link>
        );
      })}
    </div>
  );
}
