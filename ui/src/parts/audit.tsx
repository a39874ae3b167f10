// SPDX-License-Identifier: Apache-2.0
/* audit - who did what, when, to which object. */
import { V2 } from "../lib/api.ts";
import { useFetch } from "../lib/live.ts";
import { Link, path_of } from "../lib/router.tsx";
import { parse_rfc3339 } from "../lib/time.ts";
import { Empty, Loaded, Panel } from "./basics.tsx";
import { When } from "./clock.tsx";

interface EventLog { event_log_id: number; when: string; dag_id: string | null; run_id: string | null; task_id: string | null; event: string; owner: string | null; extra: string | null }

export default function Audit({ dag, run, task }: { dag?: string; run?: string; task?: string }) {
  const query = new URLSearchParams({ order_by: "-when", limit: "100", ...(dag ? { dag_id: dag } : {}), ...(run ? { run_id: run } : {}), ...(task ? { task_id: task } : {}) });
  const events = useFetch<{ event_logs: EventLog[] }>(`${V2}/eventLogs?${query}`);
  return (
    <Panel flush>
      <Loaded from={events}>
        {(data) => data.event_logs.length === 0 ? <Empty title="Nobody has done anything here." /> : (
          <div className="scroll-x" tabIndex={0} role="group" aria-label="Table"><table className="table">
            <thead><tr><th>When</th><th>Who</th><th>What</th>{!dag && <th>DAG</th>}{!run && <th className="phone-off">Run</th>}<th className="phone-off">Task</th><th className="phone-off">More</th></tr></thead>
            <tbody>{data.event_logs.map((e) => (
              <tr key={e.event_log_id}>
                <td><When at={parse_rfc3339(e.when)} /></td><td>{e.owner ?? "—"}</td><td><code>{e.event}</code></td>
                {!dag && <td>{e.dag_id ? <Link to={path_of.dag(e.dag_id)}>{e.dag_id}</Link> : "—"}</td>}
                {!run && <td className="phone-off">{e.run_id && e.dag_id ? <Link to={path_of.run(e.dag_id, e.run_id)}>{e.run_id}</Link> : "—"}</td>}
                <td className="phone-off">{e.task_id ?? "—"}</td><td className="phone-off mono clip audit-extra" title={e.extra ?? ""}>{e.extra}</td>
              </tr>
            ))}</tbody>
          </table></div>
        )}
      </Loaded>
    </Panel>
  );
}
