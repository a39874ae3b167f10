// SPDX-License-Identifier: Apache-2.0
/* queue - one queue: what waits in it, in its order, and which workers serve it. */
import { V1 } from "../lib/api.ts";
import { useFollow } from "../lib/live.ts";
import type { Workers } from "../lib/model.ts";
import { count, plural } from "../lib/number.ts";
import { reduce_refetch } from "../lib/reduce.ts";
import { Link, path_of } from "../lib/router.tsx";
import { Panel } from "../parts/basics.tsx";
import { PageHead, useTitle } from "../parts/head.tsx";
import { WaitingList } from "../parts/waiting.tsx";

export default function Queue({ params: { queue } }: { params: Record<string, string> }) {
  useTitle(`Queue ${queue}`);
  const workers = useFollow<Workers>(`${V1}/workers`, ["workers"], reduce_refetch);
  const mine = workers.data?.workers.filter((w) => w.queues.includes(queue) && w.state === "present") ?? [];
  const slots = mine.reduce((n, w) => n + w.slots, 0);
  const used = mine.reduce((n, w) => n + w.used, 0);
  return (
    <>
      <PageHead crumbs={[["Workers", "/workers"]]} title={<h1>Queue {queue}</h1>} meta={workers.data && <>
        <span>{mine.length ? <><b>{count(used)}</b> of <b>{count(slots)}</b> slots used on <b>{plural(mine.length, "worker")}</b></> : "No worker serves it."}</span>
        {mine.slice(0, 5).map((w) => <Link key={w.name} to={path_of.worker(w.name)}>{w.name}</Link>)}{mine.length > 5 && <span>and {mine.length - 5} more</span>}
        <Link to={`/task_instances?queue=${encodeURIComponent(queue)}&state=queued,running`}>What runs from it</Link>
      </>} />
      <Panel title="Waits, in its order" flush><WaitingList queue={queue} /></Panel>
      <p className="muted">The scheduler looks at the priority of the DAG first, then at the weight of the task, then the older run goes first. What steps aside lets others pass until its own limit allows it.</p>
    </>
  );
}
