// SPDX-License-Identifier: Apache-2.0
/* pool_use - who holds the slots of a pool, longest first, and who waits for one, in which order. */
import { V1 } from "../lib/api.ts";
import { useFollow } from "../lib/live.ts";
import type { Snapshot, TaskRow } from "../lib/model.ts";
import { reduce_refetch } from "../lib/reduce.ts";
import { Link, path_of } from "../lib/router.tsx";
import { Loaded } from "./basics.tsx";
import { Span, When } from "./clock.tsx";
import { StateWord } from "./state.tsx";
import { WaitingList } from "./waiting.tsx";

const SHOWN = 50;
const HOLD = "running,queued,restarting";

type Rows = Snapshot & { tasks: TaskRow[]; next: string | null };

function TaskLink({ task: t }: { task: TaskRow }) {
  return <Link className="strong" to={path_of.task(t.dag_id, t.run_id, t.task_id, t.map_index)}>{t.dag_id} / {t.task_id}{t.map_index >= 0 ? `[${t.map_index}]` : ""}</Link>;
}

function Holders({ pool, data }: { pool: string; data: Rows }) {
  const rows = [...data.tasks].sort((a, b) => (a.start ?? a.queued_at ?? Infinity) - (b.start ?? b.queued_at ?? Infinity));
  return (
    <>
      {rows.length === 0 ? <p className="muted">Nothing does.</p> : <ul className="pool-tasks">{rows.map((t) => (
        <li key={`${t.dag_id}/${t.run_id}/${t.task_id}/${t.map_index}`} className="row"><StateWord state={t.state} /><TaskLink task={t} /><span className="grow" />{t.start ? <Span start={t.start} end={t.end} /> : t.queued_at ? <When at={t.queued_at} relative /> : null}</li>
      ))}</ul>}
      {data.next && <Link to={`/task_instances?pool=${encodeURIComponent(pool)}&state=${HOLD}&range=all`}>All of them</Link>}
    </>
  );
}

export function PoolUse({ pool }: { pool: string }) {
  const held = useFollow<Rows>(`${V1}/ui/tasks?pool=${encodeURIComponent(pool)}&state=${HOLD}&limit=${SHOWN}`, ["home"], reduce_refetch);
  return (
    <div className="pool-use">
      <div><h2>Hold its slots</h2><Loaded from={held} rows={2}>{(d) => <Holders pool={pool} data={d} />}</Loaded></div>
      <div><h2>Wait for a slot</h2><WaitingList pool={pool} /></div>
    </div>
  );
}
