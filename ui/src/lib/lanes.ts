// SPDX-License-Identifier: Apache-2.0
/* lanes - what ran beside what, by DAG, and how it changes with the stream. Pure. */
import { nice_step } from "./gantt.ts";
import type { Lane, Lanes } from "./model.ts";
import { run_letter } from "./reduce.ts";
import type { RunChange, StreamEvent } from "./stream.ts";

export const AHEAD_SHARE = 0.14; // of the width: what is planned
const RUNS_MAX = 60;

export interface LaneAxis { from: number; now: number; to: number; ticks: number[]; position: (at: number) => number }

export function lane_axis(from: number, now: number): LaneAxis {
  const to = now + ((now - from) * AHEAD_SHARE) / (1 - AHEAD_SHARE);
  const step = nice_step((to - from) / 7);
  const ticks: number[] = [];
  for (let at = Math.ceil(from / step) * step; at < to; at += step) ticks.push(at);
  return { from, now, to, ticks, position: (at) => Math.max(0, Math.min(1, (at - from) / (to - from))) };
}

function lane_with(lane: Lane, [, run, , state, , , start, end]: RunChange): Lane {
  const { runs } = lane;
  const at = runs.id.indexOf(run);
  if (state === "deleted") return at < 0 ? lane : recount({ ...lane, runs: { id: runs.id.filter((_, i) => i !== at), state: runs.state.slice(0, at) + runs.state.slice(at + 1), start: runs.start.filter((_, i) => i !== at), end: runs.end.filter((_, i) => i !== at) } });
  if (start === null) return lane;
  const letter = run_letter(state);
  if (at < 0) return recount({ ...lane, runs: { id: [run, ...runs.id].slice(0, RUNS_MAX), state: (letter + runs.state).slice(0, RUNS_MAX), start: [start, ...runs.start].slice(0, RUNS_MAX), end: [end, ...runs.end].slice(0, RUNS_MAX) } });
  const put = <T,>(list: T[], value: T) => list.map((v, i) => (i === at ? value : v));
  return recount({ ...lane, runs: { ...runs, state: runs.state.slice(0, at) + letter + runs.state.slice(at + 1), start: put(runs.start, start), end: put(runs.end, end) } });
}

const count = (letters: string, wanted: string) => [...letters].filter((l) => wanted.includes(l)).length;
const recount = (lane: Lane): Lane => ({ ...lane, open: count(lane.runs.state, "qr"), failed: count(lane.runs.state, "f") });

/* A lane changes in place, and a DAG that begins to run gets one at the end: nothing moves under the pointer. */
export function reduce_lanes(data: Lanes, event: StreamEvent): Lanes {
  if (event.name !== "run") return data;
  let { lanes, dags } = data;
  for (const change of event.data.c as RunChange[]) {
    const at = lanes.findIndex((l) => l.dag_id === change[0]);
    const lane = lane_with(lanes[at] ?? { dag_id: change[0], next: null, open: 0, failed: 0, runs: { id: [], state: "", start: [], end: [] } }, change);
    if (at >= 0 && lane !== lanes[at]) lanes = lanes.map((l, i) => (i === at ? lane : l));
    if (at < 0 && lane.runs.id.length) { lanes = [...lanes, lane]; dags++; }
  }
  return lanes === data.lanes ? data : { ...data, lanes, dags };
}

/* The ids in the order in which they are shown: as it was before, what is new behind. When `may_move`, what runs comes among the
 * first `max`, at their head, since it is what one looks for; only in the place of what does not run. */
export function lane_order(before: string[], lanes: Lane[], max: number, may_move: boolean): string[] {
  const known = new Map(lanes.map((l) => [l.dag_id, l]));
  const order = [...before.filter((id) => known.has(id)), ...lanes.map((l) => l.dag_id).filter((id) => !before.includes(id))];
  const runs = (id: string) => known.get(id)!.open > 0;
  const idle = order.slice(0, max).filter((id) => !runs(id)).length;
  const hidden = may_move ? order.slice(max).filter(runs).slice(0, idle) : [];
  return hidden.length ? [...hidden, ...order.filter((id) => !hidden.includes(id))] : order;
}
