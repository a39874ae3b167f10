// SPDX-License-Identifier: Apache-2.0
/* assets - data that tasks update and DAGs wait for: who makes it, who uses it, and what happened to it last. */
import { V2 } from "../lib/api.ts";
import { useFetch } from "../lib/live.ts";
import { Link, path_of, query_set, useQuery } from "../lib/router.tsx";
import { parse_rfc3339 } from "../lib/time.ts";
import { Empty, Loaded, Panel } from "../parts/basics.tsx";
import { When } from "../parts/clock.tsx";
import { PageHead, useTitle } from "../parts/head.tsx";
import "../styles/workers.css";

interface TaskOf { dag_id: string; task_id: string }
interface Asset { id: number; name: string; scheduled_dags: { dag_id: string }[]; producing_tasks: TaskOf[]; consuming_tasks: TaskOf[]; last_asset_event: { timestamp: string } | null }
interface AssetEvent { id: number; timestamp: string; source_dag_id: string | null; source_run_id: string | null; source_task_id: string | null; source_map_index: number; created_dagruns: { dag_id: string; run_id: string }[] }

const SHOWN = 100;
const EVENTS_SHOWN = 20;

const none = <span className="faint">—</span>;

function TaskLinks({ tasks }: { tasks: TaskOf[] }) {
  if (!tasks.length) return none;
  return <>{tasks.map((t) => <div key={`${t.dag_id}/${t.task_id}`}><Link to={path_of.dag_task(t.dag_id, t.task_id)}>{t.task_id}</Link> <span className="muted">{t.dag_id}</span></div>)}</>;
}

function Events({ asset }: { asset: Asset }) {
  const list = useFetch<{ asset_events: AssetEvent[] }>(`${V2}/assets/events?asset_id=${asset.id}&order_by=-timestamp&limit=${EVENTS_SHOWN}`);
  return (
    <Loaded from={list} rows={3}>{(data) => data.asset_events.length === 0 ? <span className="muted">It was never updated.</span> : (
      <ul className="worker-tasks" aria-label={`Updates of ${asset.name}, newest first`}>{data.asset_events.map((e) => (
        <li key={e.id} className="row wrap"><When at={parse_rfc3339(e.timestamp)} />
          {e.source_dag_id && e.source_run_id && e.source_task_id ? <span>by <Link to={path_of.task(e.source_dag_id, e.source_run_id, e.source_task_id, e.source_map_index)}>{e.source_task_id}</Link> <span className="muted">{e.source_dag_id}</span></span> : <span className="muted">told by a user</span>}
          {e.created_dagruns.length > 0 && <span>started {e.created_dagruns.map((r) => <Link key={r.dag_id + r.run_id} to={path_of.run(r.dag_id, r.run_id)}>{r.dag_id} </Link>)}</span>}
        </li>
      ))}</ul>
    )}</Loaded>
  );
}

export default function Assets() {
  useTitle("Assets");
  const q = useQuery("q");
  const open = useQuery("asset");
  const list = useFetch<{ assets: Asset[]; total_entries: number }>(`${V2}/assets?order_by=name&limit=${SHOWN}${q ? `&name_pattern=${encodeURIComponent(`%${q}%`)}` : ""}`);
  return (
    <>
      <PageHead title={<h1>Assets</h1>} meta={<span>Data that tasks update (<code>outlets</code>) and that DAGs wait for.</span>} />
      <div className="toolbar"><input type="search" className="input" placeholder="Filter" aria-label="Filter assets" defaultValue={q} onChange={(e) => query_set({ q: e.target.value || null })} /></div>
      <Panel flush><Loaded from={list}>{(data) => data.assets.length === 0 ? <Empty title={q ? "Nothing fits this filter." : "No DAG names an asset."} /> : (
        <div className="scroll-x" tabIndex={0} role="group" aria-label="Table"><table className="table">
          <thead><tr><th>Asset</th><th>Updated by</th><th>Starts</th><th className="phone-off">Read by</th><th>Last update</th></tr></thead>
          <tbody>{data.assets.map((a) => [
            <tr key={a.id} aria-selected={open === a.name}>
              <td><button className="link strong" aria-expanded={open === a.name} onClick={() => query_set({ asset: open === a.name ? null : a.name })}>{open === a.name ? "▾" : "▸"} {a.name}</button></td>
              <td><TaskLinks tasks={a.producing_tasks} /></td>
              <td>{a.scheduled_dags.length ? a.scheduled_dags.map((d) => <div key={d.dag_id}><Link to={path_of.dag(d.dag_id)}>{d.dag_id}</Link></div>) : none}</td>
              <td className="phone-off"><TaskLinks tasks={a.consuming_tasks} /></td>
              <td><When at={a.last_asset_event && parse_rfc3339(a.last_asset_event.timestamp)} relative /></td>
            </tr>,
            open === a.name && <tr key={`${a.id}-events`} className="sub"><td colSpan={5}><Events asset={a} /></td></tr>,
          ])}</tbody>
        </table>{data.total_entries > SHOWN && <p className="empty">{data.total_entries - SHOWN} more: use the filter.</p>}</div>
      )}</Loaded></Panel>
    </>
  );
}
