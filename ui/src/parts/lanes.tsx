// SPDX-License-Identifier: Apache-2.0
/* lanes - a lane for each DAG with most to tell: what ran in the last hours, what runs now, what comes next. A bar is a run, and a
 * pointer that hits one goes to it; for the keyboard the lane is one link, to the grid in which each run is a target of its own. */
import { useRef, useState, type MouseEvent } from "react";
import { lane_axis, lane_order, reduce_lanes, type LaneAxis } from "../lib/lanes.ts";
import { url_of } from "../lib/api.ts";
import { useFollow } from "../lib/live.ts";
import type { Lane, Lanes } from "../lib/model.ts";
import { count, plural } from "../lib/number.ts";
import { go, Link, path_of } from "../lib/router.tsx";
import { clock, date, duration } from "../lib/time.ts";
import { RUN_LETTERS, state_of } from "../states.ts";
import { Empty, Loaded, Panel } from "./basics.tsx";
import { useTick, useZone } from "./clock.tsx";
import { Glyph } from "./state.tsx";
import "../styles/lanes.css";

const AT_FIRST = 10;
const DAY_MS = 86_400_000;

function lane_state(lane: Lane): string {
  if (lane.open) return "running";
  return lane.failed ? "failed" : lane.runs.id.length ? "success" : "none";
}

function lane_words(lane: Lane, now: number): string {
  const parts = [plural(lane.runs.id.length, "run"), lane.failed ? `${lane.failed} failed` : "", lane.open ? `${lane.open} running` : "", lane.next !== null && lane.next > now ? `next in ${duration(lane.next - now)}` : ""];
  return `${lane.dag_id}: ${parts.filter(Boolean).join(", ")}`;
}

function LaneRow({ lane, axis }: { lane: Lane; axis: LaneAxis }) {
  const { runs, next } = lane;
  const pct = (at: number) => `${axis.position(at) * 100}%`;
  const shown = runs.id.flatMap((_, i) => ((runs.end[i] ?? axis.now) < axis.from ? [] : [i]));
  const click = (event: MouseEvent) => {
    const run = (event.target as HTMLElement).closest<HTMLElement>("[data-run]")?.dataset.run;
    if (!run || event.metaKey || event.ctrlKey || event.detail === 0) return;
    event.preventDefault();
    go(path_of.run(lane.dag_id, run));
  };
  return (
    <Link className="lane" to={path_of.dag(lane.dag_id)} aria-label={lane_words(lane, axis.now)} onClick={click}>
      <span className="lane-name"><Glyph state={lane_state(lane)} /><span className="clip">{lane.dag_id}</span></span>
      <span className="lane-track">
        <span className="lane-now" style={{ left: pct(axis.now) }} />
        {shown.map((i) => {
          const state = state_of(RUN_LETTERS[runs.state[i]]);
          const end = runs.end[i] ?? axis.now;
          return <span key={runs.id[i]} data-run={runs.id[i]} className={`lane-bar st-${state.name}`} style={{ left: pct(runs.start[i]), width: `calc(${(axis.position(end) - axis.position(runs.start[i])) * 100}% + 3px)` }} title={`${runs.id[i]}\n${state.word}, ${duration(end - runs.start[i])}`} />;
        })}
        {next !== null && next > axis.now && next < axis.to && <span className="lane-next" style={{ left: pct(next) }} title={`Next in ${duration(next - axis.now)}`} />}
      </span>
    </Link>
  );
}

/* The order stands still under a pointer, and under the focus. */
function useOrder(): { order: (lanes: Lane[]) => Lane[]; held: { onPointerEnter: () => void; onPointerLeave: () => void; onFocus: () => void; onBlur: () => void } } {
  const pointed = useRef(false);
  const focused = useRef(false);
  const ids = useRef<string[]>([]);
  const order = (lanes: Lane[]) => {
    ids.current = lane_order(ids.current, lanes, AT_FIRST, !pointed.current && !focused.current);
    const by_id = new Map(lanes.map((l) => [l.dag_id, l]));
    return ids.current.map((id) => by_id.get(id)!);
  };
  return { order, held: { onPointerEnter: () => { pointed.current = true; }, onPointerLeave: () => { pointed.current = false; }, onFocus: () => { focused.current = true; }, onBlur: () => { focused.current = false; } } };
}

export default function LanesPanel({ hours, wanted }: { hours: number; wanted: boolean }) {
  const lanes = useFollow<Lanes>(wanted ? url_of.lanes(hours) : null, ["home"], reduce_lanes);
  const zone = useZone();
  const now = useTick(true);
  const [all, set_all] = useState(false);
  const { order, held } = useOrder();
  return (
    <Panel flush title="What ran when" extra={<span className="muted phone-off">{lanes.data && plural(lanes.data.dags, "DAG")} in {hours} h; dotted: planned</span>}>
      <Loaded from={lanes} rows={6}>{(data) => {
        if (!data.lanes.length) return <Empty title={`No run was under way in the last ${hours} hours.`} />;
        const axis = lane_axis(now - hours * 3_600_000, now);
        const ordered = order(data.lanes);
        const rows = all ? ordered : ordered.slice(0, AT_FIRST);
        const hidden = ordered.slice(AT_FIRST).filter((l) => l.open > 0).length;
        const rest = Math.max(0, data.dags - rows.filter((l) => l.runs.id.length).length);
        return (
          <div {...held}>
            <div className="lanes">
              <div className="lane-axis" aria-hidden="true"><span className="lane-name" /><span className="lane-track">{axis.ticks.map((t) => <span key={t} className="lane-tick num" style={{ left: `${axis.position(t) * 100}%` }}>{t % DAY_MS === 0 || hours > 48 ? date(t, zone).slice(5) : clock(t, zone).slice(0, 5)}</span>)}</span></div>
              {rows.map((lane) => <LaneRow key={lane.dag_id} lane={lane} axis={axis} />)}
            </div>
            {(rest > 0 || all) && <div className="lane-more">{data.lanes.length > AT_FIRST && <button className="button small quiet" aria-expanded={all} onClick={() => set_all(!all)}>{all ? "Show fewer" : `Show ${count(data.lanes.length - AT_FIRST)} more${hidden ? `, ${count(hidden)} running` : ""}`}</button>}{data.dags > data.lanes.length && <Link to="/dag_runs">all runs of {plural(data.dags, "DAG")}</Link>}</div>}
          </div>
        );
      }}</Loaded>
    </Panel>
  );
}
