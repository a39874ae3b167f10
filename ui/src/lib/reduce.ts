// SPDX-License-Identifier: Apache-2.0
/* reduce - how one event changes a snapshot. Pure: gives the same object when nothing changes, a new one when it does,
 * and REFETCH when the event says less than the page needs. */
import { letter_of } from "../states.ts";
import type { Cells, RunPage, Shape } from "./model.ts";
import type { Gate, RunChange, StreamEvent, TiChange } from "./stream.ts";

export const REFETCH = Symbol("refetch");
export type Reduced<T> = T | typeof REFETCH;

export function with_letter(text: string, at: number, letter: string): string {
  return text[at] === letter ? text : text.slice(0, at) + letter + text.slice(at + 1);
}

export function ordinals(shape: Shape): Map<string, number> {
  return new Map(shape.id.map((id, i) => [id, i]));
}

export function run_letter(state: string): string {
  return { queued: "q", running: "r", success: "s", failed: "f" }[state] ?? "q";
}

export function reduce_cells(cells: Cells, event: StreamEvent, gate: Gate, shape: Shape | null): Reduced<Cells> {
  if (event.name === "dag") return REFETCH;
  if (event.name === "run") return reduce_cell_runs(cells, event.data.c as RunChange[], event.seq, gate, shape?.dag_id ?? "");
  if (event.name !== "ti") return cells;
  if (!shape) return REFETCH; // it cannot be placed yet, and must not be lost
  const index = ordinals(shape);
  const st = [...cells.st];
  let touched = false;
  let mapped = false;
  let tries = cells.tries;
  for (const [dag, run, task, map, state, attempt] of event.data.c as TiChange[]) {
    if (dag !== shape.dag_id) continue;
    const r = cells.runs.id.indexOf(run);
    const o = index.get(task);
    if (r < 0 || o === undefined) continue;
    if (map >= 0 || shape.kind[o] === 2) {
      mapped = true;
      continue;
    }
    if (!gate.fresh(`${r}/${o}`, event.seq)) continue;
    const next = with_letter(st[r], o, letter_of(state));
    if (next !== st[r]) { st[r] = next; touched = true; }
    if (attempt > 1 && !tries.some((t) => t[0] === r && t[1] === o && t[2] === attempt)) {
      tries = [...tries.filter((t) => t[0] !== r || t[1] !== o), [r, o, attempt]];
      touched = true;
    }
  }
  if (mapped) return REFETCH;
  return touched ? { ...cells, st, tries } : cells;
}

function reduce_cell_runs(cells: Cells, changes: RunChange[], seq: number, gate: Gate, dag_id: string): Reduced<Cells> {
  let runs = cells.runs;
  for (const [dag, run, key, state, , , start, end] of changes) {
    if (dag !== dag_id) continue;
    const r = runs.key.indexOf(key);
    if (r < 0 || runs.id[r] !== run || state === "deleted") return REFETCH;
    if (!gate.fresh(`run/${run}`, seq)) continue;
    const at = <T,>(list: T[], value: T) => list.map((v, i) => (i === r ? value : v));
    runs = { ...runs, state: with_letter(runs.state, r, run_letter(state)), start: at(runs.start, start), end: at(runs.end, end) };
  }
  return runs === cells.runs ? cells : { ...cells, runs };
}

export function reduce_run(page: RunPage, event: StreamEvent, gate: Gate, shape: Shape | null): Reduced<RunPage> {
  if (event.name === "dag") return event.data.dags?.includes(page.dag_id) ? REFETCH : page;
  if (event.name === "run") {
    for (const [dag, run, , state, , , start, end] of event.data.c as RunChange[]) {
      if (dag !== page.dag_id || run !== page.run.run_id || !gate.fresh("run", event.seq)) continue;
      if (state === "deleted" || (state !== page.run.state && (state === "success" || state === "failed"))) return REFETCH;
      page = { ...page, run: { ...page.run, state, start, end } };
    }
    return page;
  }
  if (event.name !== "ti") return page;
  if (!shape) return (event.data.c as TiChange[]).some((c) => c[0] === page.dag_id && c[1] === page.run.run_id) ? REFETCH : page;
  const index = ordinals(shape);
  const next = { ...page, try: [...page.try], start: [...page.start], end: [...page.end], worker: [...page.worker], queued: [...page.queued] };
  let touched = false;
  for (const [dag, run, task, map, state, attempt, start, end, worker] of event.data.c as TiChange[]) {
    if (dag !== page.dag_id || run !== page.run.run_id) continue;
    const o = index.get(task);
    // An error text and the counts of a mapped task are not in the event.
    if (o === undefined || map >= 0 || shape.kind[o] === 2 || state === "failed" || state === "up_for_retry") return REFETCH;
    if (!gate.fresh(task, event.seq)) continue;
    next.st = with_letter(next.st, o, letter_of(state));
    next.try[o] = attempt;
    if (state === "queued" && next.queued[o] === null) next.queued[o] = event.data.now ?? null;
    next.start[o] = start;
    next.end[o] = end;
    next.worker[o] = worker;
    touched = true;
  }
  return touched ? next : page;
}

/* For lists of workers that show how busy each is. */
export function reduce_with_loads<T>(data: T, event: StreamEvent): Reduced<T> {
  return event.name === "log" ? data : REFETCH;
}

/* For pages of sums, which an event cannot change in place. How busy workers are is no sum of theirs. */
export function reduce_refetch<T>(data: T, event: StreamEvent): Reduced<T> {
  return event.name === "log" || event.name === "loads" ? data : REFETCH;
}
