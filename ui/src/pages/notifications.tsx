// SPDX-License-Identifier: Apache-2.0
/* notifications - who was to be told of what, and who could not be. */
import { V1 } from "../lib/api.ts";
import { useFetch } from "../lib/live.ts";
import { plural } from "../lib/number.ts";
import { Link, path_of, query_set, useQuery } from "../lib/router.tsx";
import { parse_rfc3339 } from "../lib/time.ts";
import { Empty, Loaded, Panel } from "../parts/basics.tsx";
import { When } from "../parts/clock.tsx";
import { PageHead, useTitle } from "../parts/head.tsx";
import { Glyph } from "../parts/state.tsx";
import "../styles/workers.css";

interface Notification {
  notification_id: string; state: string; event: string; kind: string; target: string; dag_id: string | null; dag_run_id: string | null; task_id: string | null; map_index: number;
  tries: number; made_at: string; next_try_at: string | null; ended_at: string | null; error: string | null;
}

const LOOK: Record<string, [look: string, word: string]> = { pending: ["up_for_retry", "Not yet"], delivered: ["success", "Delivered"], failed: ["failed", "Failed"] };
const SHOWN = 100;

function About({ n }: { n: Notification }) {
  if (!n.dag_id) return <span className="faint">a DAG that is gone</span>;
  if (!n.dag_run_id) return <Link className="strong" to={path_of.dag(n.dag_id)}>{n.dag_id}</Link>;
  const run = <Link to={path_of.run(n.dag_id, n.dag_run_id)} className="clip">{n.dag_run_id}</Link>;
  return <><div>{n.task_id ? <Link className="strong" to={path_of.task(n.dag_id, n.dag_run_id, n.task_id, n.map_index)}>{n.task_id}{n.map_index >= 0 ? `[${n.map_index}]` : ""}</Link> : <span className="strong">{n.dag_id}</span>}</div><div className="muted small-text">{n.task_id && `${n.dag_id}, `}{run}</div></>;
}

export default function Notifications() {
  useTitle("Notifications");
  const state = useQuery("state");
  const list = useFetch<{ notifications: Notification[]; total_entries: number }>(`${V1}/notifications?order_by=-made_at&limit=${SHOWN}${state ? `&state=${encodeURIComponent(state)}` : ""}`);
  return (
    <>
      <PageHead title={<h1>Notifications</h1>} meta={<span>Whom DAGs and tasks told of a failure, a success or a missed deadline. Each is tried again until it is taken, or given up.</span>} />
      <div className="toolbar">{[["", "All"], ...Object.entries(LOOK).map(([id, [, word]]) => [id, word])].map(([id, word]) => <button key={id} className="chip" aria-pressed={state === id} onClick={() => query_set({ state: id || null })}>{word}</button>)}<span className="grow" /><button className="button small" onClick={list.refetch}>Look again</button></div>
      <Panel flush><Loaded from={list}>{(data) => data.notifications.length === 0 ? <Empty title={state ? "None." : "Nobody had to be told of anything."}><span>A DAG or task names whom to tell under <code>on_failure</code>, <code>on_success</code> and others.</span></Empty> : (
        <div className="scroll-x" tabIndex={0} role="group" aria-label="Table"><table className="table">
          <thead><tr><th>State</th><th>Of</th><th>What</th><th>To</th><th className="right phone-off">Tries</th><th className="phone-off">Made</th></tr></thead>
          <tbody>{data.notifications.map((n) => (
            <tr key={n.notification_id}>
              <td><span className="row tight nowrap"><Glyph state={LOOK[n.state]?.[0]} />{LOOK[n.state]?.[1] ?? n.state}</span></td>
              <td><About n={n} /></td><td className="nowrap">{n.event}</td>
              <td><div className="clip"><span className="muted">{n.kind}</span> {n.target}</div>{n.error && <div className="bad-text small-text">{n.error}</div>}</td>
              <td className="right num phone-off">{n.tries}</td>
              <td className="phone-off"><When at={parse_rfc3339(n.made_at)} relative />{n.state === "pending" && n.next_try_at && <div className="muted small-text">again <When at={parse_rfc3339(n.next_try_at)} relative /></div>}</td>
            </tr>
          ))}</tbody>
        </table>{data.total_entries > SHOWN && <p className="empty">{plural(data.total_entries - SHOWN, "older one")} not shown.</p>}</div>
      )}</Loaded></Panel>
    </>
  );
}
