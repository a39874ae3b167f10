// SPDX-License-Identifier: Apache-2.0
/* pool_use - who holds the slots of a pool, longest first, and who waits for one. */
import { V1 } from "../lib/api.ts";
import { useFollow } from "../lib/live.ts";
import type { Snapshot, TaskRow } from "../lib/model.ts";
import { reduce_refetch } from "../lib/reduce.ts";
import { Link, path_of } from "../lib/router.tsx";
import { Loaded } from "./basics.tsx";
import { Span, When } from "./clock.tsx";
import { StateWord } from "./state.tsx";

const SHOWN = 50;
type Rows = Snapshot & { tasks: TaskRow[]; next: string | null };

function TaskLink({ task: t }: { task: TaskRow }) {
  return <Link className="strong" to={path_of.task(t.dag_id, t.run_id, t.task_id, t.map_index)}>{t.dag_id} / {t.task_id}{t.map_index >= 0 ? `[${t.map_index}]` : ""}</Link>;
}

function Part({ title, empty, pool, states, data }: { title: string; empty: string; pool: string; states: string; data: Rows }) {
  const rows = [...data.tasks].sort((a, b) => (a.start ?? a.queued_at ?? Infinity) - (b.start ?? b.queued_at ?? Infinity));
  return (
    <div>
      <h2>{title}</h2>
      {rows.length === 0 ? <p className="muted">{empty}</p> : <ul className="pool-tasks">{rows.map((t) => (
        <li key={`${t.dag_id}/${t.run_id}/${t.task_id}/${t.map_index}`} className="row"><StateWord state={t.state} /><TaskLink task={t} /><span className="grow" />{t.start ? <Span start={t.start} end={t.end} /> : t.queued_at ? <When at={t.queued_at} relative /> : null}</li>
      ))}</ul>}
      {data.next && <Link to={`/task_instances?pool=${encodeURIComponent(pool)}&state=${states}&range=all`}>All of them</Link>}
    </div>
  );
}

function usePoolTasks(pool: string, states: string) {
  return useFollow<Rows>(`${V1}/ui/tasks?pool=${encodeURIComponent(pool)}&state=${states}&limit=${SHOWN}`, ["home"], reduce_refetch);
}

const HOLD = "running,queued,restarting";
const WAIT = "scheduled";

export function PoolUse({ pool }: { pool: string }) {
  const held = usePoolTasks(pool, HOLD);
  const waiting = usePoolTasks(pool, WAIT);
  return (
    <div className="pool-use">
      <Loaded from={held} rows={2}>{(d) => <Part title="Hold its slots" empty="Nothing does." pool={pool} states={HOLD} data={d} />}</Loaded>
      <Loaded from={waiting} rows={2}>{(d) => <Part title="Wait for a slot" empty="Nothing does." pool={pool} states={WAIT} data={d} />}</Loaded>
    </div>
  );
}
