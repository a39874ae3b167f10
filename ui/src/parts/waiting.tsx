// SPDX-License-Identifier: Apache-2.0
/* waiting - what is ready and waits for a worker or a slot, in the order in which the scheduler looks at it. The order stands
 * still while it is read: that it has changed is said above it. */
import { useState } from "react";
import { V1 } from "../lib/api.ts";
import { useFollow } from "../lib/live.ts";
import type { Waiting, WaitingItem } from "../lib/model.ts";
import { count, plural } from "../lib/number.ts";
import { Link, path_of } from "../lib/router.tsx";
import { Empty, Loaded } from "./basics.tsx";
import { When } from "./clock.tsx";

const SHOWN = 50;
const SHOWN_MAX = 200;

type Data = Waiting & { has_changed?: boolean };

/* What keeps it, in words; what blocks it is a link. */
function Hold({ item }: { item: WaitingItem }) {
  switch (item.hold) {
    case "none": return <>is next</>;
    case "parallelism": return <>as many run as may over all DAGs (<Link to="/settings?q=parallelism">core.parallelism</Link>)</>;
    case "worker": return <>no worker of queue <Link to={path_of.queue(item.queue)}>{item.queue}</Link> has a free slot</>;
    case "slots": return <>{plural(item.pool_slots, "slot")} of pool <Link to={`/pools?open=${encodeURIComponent(item.pool)}`}>{item.pool}</Link> {item.pool_slots === 1 ? "is" : "are"} not free</>;
    case "paused": return <>steps aside: its DAG is paused</>;
    case "run_limit": return <>steps aside: as many tasks of its run run as may (max_active_tasks)</>;
    case "task_limit": return <>steps aside: as many instances of it run as may (max_active_tis)</>;
  }
}

function Row({ item }: { item: WaitingItem }) {
  return (
    <tr>
      <td className="right num">{item.position ?? "—"}</td>
      <td><Link className="strong" to={path_of.task(item.dag_id, item.run_id, item.task_id, item.map_index)}>{item.task_id}{item.map_index >= 0 ? `[${item.map_index}]` : ""}</Link><div className="muted clip run-cell">{item.dag_id}</div></td>
      <td className="phone-off clip run-cell"><Link to={path_of.run(item.dag_id, item.run_id)}>{item.run_id}</Link></td>
      <td className="right num phone-off">{item.priority ? `${item.priority} / ${item.weight}` : item.weight}</td>
      <td className="phone-off"><When at={item.run_queued_at} relative /></td>
      <td><Hold item={item} /></td>
    </tr>
  );
}

/* Of a queue, of a pool, or of both. */
export function WaitingList({ queue = "", pool = "" }: { queue?: string; pool?: string }) {
  const [limit, set_limit] = useState(SHOWN);
  const asked = new URLSearchParams({ ...(queue && { queue }), ...(pool && { pool }), limit: String(limit) });
  const data = useFollow<Data>(`${V1}/waiting?${asked}`, ["home"], (d, event) => (event.name === "run" || event.name === "workers" ? { ...d, has_changed: true } : d));
  return (
    <Loaded from={data} rows={4}>{(d) => (
      <div className="waiting">
        {d.has_changed && <button className="pill" onClick={data.refetch}>It may have changed: read it again</button>}
        {d.items.length === 0 ? <Empty title="Nothing waits." /> : (
          <div className="scroll-x" tabIndex={0} role="group" aria-label="What waits, in its order"><table className="table">
            <thead><tr><th className="right">Position</th><th>Task</th><th className="phone-off">Run</th><th className="right phone-off" title="of the DAG, and of the task">Priority / weight</th><th className="phone-off">Run queued</th><th>Waits because</th></tr></thead>
            <tbody>{d.items.map((item) => <Row key={JSON.stringify([item.dag_id, item.run_id, item.task_id, item.map_index])} item={item} />)}</tbody>
          </table></div>
        )}
        {d.total > d.items.length && <div className="row muted"><span>The first {count(d.items.length)} of {count(d.total)}.</span>{limit < SHOWN_MAX && <button className="button small" onClick={() => set_limit(SHOWN_MAX)}>Show {SHOWN_MAX}</button>}</div>}
      </div>
    )}</Loaded>
  );
}
