// SPDX-License-Identifier: Apache-2.0
/* home - is anything wrong, what runs, what comes. */
import { url_of, V1, V2 } from "../lib/api.ts";
import { later } from "../lib/later.tsx";
import { useFetch, useFollow, useLiveStatus } from "../lib/live.ts";
import type { Activity, Autoscaling, Health, Home as HomeData, ImportError, Workers } from "../lib/model.ts";
import { count, percent, plural } from "../lib/number.ts";
import { usePref } from "../lib/prefs.ts";
import { reduce_refetch, reduce_with_loads } from "../lib/reduce.ts";
import { Link, path_of } from "../lib/router.tsx";
import { parse_rfc3339, schedule_words } from "../lib/time.ts";
import { HOME_HOURS } from "../lib/urls.ts";
import { Empty, Loaded, Panel, usePainted } from "../parts/basics.tsx";
import { Span, useTick, When } from "../parts/clock.tsx";
import { useTitle } from "../parts/head.tsx";
import { ImportErrorItem } from "../parts/import_error.tsx";
import LanesPanel from "../parts/lanes.tsx";
import { Glyph, Meter } from "../parts/state.tsx";
import "../styles/home.css";

const Chart = later(() => import("../parts/chart.tsx"), <div className="chart-space" />);

function Stat({ to, label, value, sub, tone, children }: { to?: string; label: React.ReactNode; value: React.ReactNode; sub?: React.ReactNode; tone?: string; children?: React.ReactNode }) {
  const inner = <><span className="label">{label}</span><span className={`value ${tone ?? ""}`}>{value}</span><span className="sub">{sub ?? "\u00a0"}</span>{children}</>;
  return to ? <Link className="panel stat" to={to}>{inner}</Link> : <div className="panel stat">{inner}</div>;
}

/* One line of sentence for the whole system, then what stands behind it. */
function HealthLine({ data }: { data: HomeData }) {
  const health = useFetch<Health>(`${V2}/monitor/health`);
  const live = useLiveStatus();
  const now = useTick();
  const beat = parse_rfc3339(health.data?.scheduler.latest_scheduler_heartbeat);
  const parts: [string, boolean | null, React.ReactNode][] = [
    ["Scheduler", health.data ? health.data.scheduler.status === "healthy" : null, beat ? <When at={Math.min(beat, now)} relative /> : "unknown"],
    ["Database", health.data ? health.data.metadatabase.status === "healthy" : null, health.data?.metadatabase.status ?? ""],
    ["DAG files", data.dags.import_errors === 0, data.dags.import_errors ? plural(data.dags.import_errors, "import error") : "no errors"],
    ["Workers", data.slots.lost === 0 && data.slots.workers > 0, data.slots.lost ? `${data.slots.lost} lost` : plural(data.slots.workers, "worker")],
    ["Stream", live.state === "live" ? true : live.state === "offline" || live.state === "waiting" ? false : null, live.state],
  ];
  return (
    <ul className="health" aria-label="Health">
      {parts.map(([name, ok, text]) => (
        <li key={name}><Glyph state={ok === null ? "none" : ok ? "success" : "failed"} /><b>{name}</b> <span className="muted">{text}</span></li>
      ))}
    </ul>
  );
}

function Running({ data }: { data: HomeData }) {
  if (!data.running.length) return <Empty title="Nothing is running.">{data.next[0] && <span>Next: {data.next[0].dag_id}, <When at={data.next[0].at} relative /></span>}</Empty>;
  return (
    <ul className="list">
      {data.running.slice(0, 12).map((r) => (
        <li key={r.key}>
          <div className="line">
            <Glyph state={r.state} label />
            <Link to={path_of.run(r.dag_id, r.run_id)} className="strong clip running-name">{r.dag_id}</Link>
            <span className="muted clip running-id">{r.run_id}</span>
            <span className="running-meter"><Meter label={`${r.done} of ${r.total} tasks have ended, ${r.failed} failed`} parts={[{ kind: "good", share: (r.done - r.failed) / r.total }, { kind: "bad", share: r.failed / r.total }]} /></span>
            <span className="num muted nowrap running-count">{count(r.done)}/{count(r.total)}</span>
            <span className="running-span right"><Span start={r.start} end={null} /></span>
          </div>
        </li>
      ))}
    </ul>
  );
}

function Failures({ data }: { data: HomeData }) {
  if (!data.failures.length) return <Empty title={`No run has failed in the last ${data.hours} hours.`} />;
  return (
    <ul className="list">
      {data.failures.slice(0, 12).map((f) => (
        <li key={f.key}>
          <div className="line">
            <Glyph state="failed" label />
            <Link to={path_of.run(f.dag_id, f.run_id)} className="strong clip">{f.dag_id}</Link>
            {f.task_id && <Link to={path_of.task(f.dag_id, f.run_id, f.task_id, f.map_index)} className="clip">{f.task_id}{f.map_index >= 0 ? `[${f.map_index}]` : ""}</Link>}
            {f.failed > 1 && <span className="muted nowrap">and {f.failed - 1} more</span>}
            <span className="grow" />
            <span className="muted"><When at={f.end} relative /></span>
          </div>
          {f.error && <div className="error-line clip" title={f.error}>{f.error}</div>}
        </li>
      ))}
    </ul>
  );
}

/* Those that nobody took, of the newest: whoever should have been told does not know. */
function Untold() {
  const list = useFetch<{ total_entries: number }>(`${V1}/notifications?state=failed&limit=1`);
  if (!list.data?.total_entries) return null;
  return <div className="note bad">{plural(list.data.total_entries, "notification")} could not be delivered. <Link to="/notifications?state=failed">Show</Link></div>;
}

function Ended({ activity }: { activity: Activity | null }) {
  if (!activity) return <div className="chart-space" />;
  const { from, step_ms, success, failed } = activity;
  return <Chart at={success.map((_, i) => from + i * step_ms)} height={150} bars series={[{ name: "Succeeded", group: "good", values: success }, { name: "Failed", group: "bad", values: failed }]} label="Task tries that ended" />;
}

/* What wants to run against the slots there are: where the first line leaves the second behind, tasks wait. */
function Demand({ hours }: { hours: number }) {
  const scaling = useFollow<Autoscaling & { seq?: number }>(`${V1}/autoscaling?hours=${hours}`, ["workers"], reduce_refetch);
  return (
    <>{scaling.data?.queues.filter((queue) => queue.at.length > 1).map((queue) => (
      <Panel key={queue.queue} title={`Queue ${queue.queue}, last ${hours} h`}>
        <Chart at={queue.at} height={150} label={`Tasks and slots of queue ${queue.queue}`} series={[{ name: "Tasks that run or wait", group: "active", values: queue.demands, fill: true, stepped: true }, { name: "Slots", group: "plain", values: queue.presents.map((n) => n * queue.slots), dash: [5, 3], stepped: true }]} />
      </Panel>
    ))}</>
  );
}

const LOOK: Record<string, string> = { present: "success", draining: "up_for_reschedule", drained: "skipped", ended: "removed", lost: "failed" };

function WorkerList() {
  const workers = useFollow<Workers>(`${V1}/workers`, ["workers"], reduce_with_loads);
  return (
    <Panel title="Workers" flush extra={<Link to="/workers">all</Link>}><Loaded from={workers} rows={3}>{(data) => data.workers.length === 0 ? <Empty title="No worker is here.">Nothing runs until one is.</Empty> : (
      <ul className="list">{data.workers.slice(0, 8).map((w) => (
        <li key={w.name}><div className="line">
          <Glyph state={LOOK[w.state] ?? "none"} /><Link to={path_of.worker(w.name)} className="strong clip">{w.name}</Link><span className="muted clip grow">{w.state === "present" ? w.host : `${w.state}, ${w.host}`}</span>
          <span className="worker-load muted num nowrap phone-off">{w.cpu_percent !== null && w.memory_bytes !== null && w.memory_total_bytes ? `CPU ${percent(w.cpu_percent / 100)}, memory ${percent(w.memory_bytes / w.memory_total_bytes)}` : ""}</span>
          <span className="running-meter"><Meter label={`${w.used} of ${w.slots} slots used`} parts={[{ kind: "used", share: w.slots ? w.used / w.slots : 0 }]} /></span><span className="num muted nowrap running-count">{w.used}/{w.slots}</span>
        </div></li>
      ))}</ul>
    )}</Loaded></Panel>
  );
}

export default function Home() {
  useTitle("Home");
  const [hours, set_hours] = usePref("home.hours", HOME_HOURS);
  const home = useFollow<HomeData>(url_of.home(hours), ["home", "workers"], reduce_refetch);
  const painted = usePainted(home.data !== null);
  const activity = useFollow<Activity>(painted ? `${V1}/ui/activity?hours=${hours}` : null, ["home"], reduce_refetch).data; // it counts every try of the time
  const errors = useFetch<{ import_errors: ImportError[] }>(home.data?.dags.import_errors ? `${V1}/import_errors` : null);
  return (
    <Loaded from={home} rows={10}>
      {(data) => (
        <>
          <div className="title-row">
            <h1>Home</h1>
            <HealthLine data={data} />
            <div className="actions">
              <label className="row tight muted">Last
                <select className="select" value={hours} onChange={(e) => set_hours(Number(e.target.value))}>
                  {[1, 6, 24, 72, 168].map((h) => <option key={h} value={h}>{h < 48 ? `${h} h` : `${h / 24} d`}</option>)}
                </select>
              </label>
            </div>
          </div>
          <div className="stats">
            <Stat to="/dag_runs?state=running,queued" label={<><Glyph state="running" />Runs now</>} value={count(data.runs.running)} sub={`${data.runs.queued} queued`} />
            <Stat to="/task_instances?state=running" label={<><Glyph state="running" />Tasks now</>} value={count(data.tasks.running)} sub={`${count(data.tasks.queued + data.tasks.scheduled)} waiting for a slot`} />
            <Stat to="/dag_runs?state=failed" label={<><Glyph state="failed" />Failed runs</>} value={activity ? count(activity.runs.failed) : "…"} tone={activity?.runs.failed ? "bad-text" : ""} sub={`in ${hours} h`} />
            <Stat to="/dag_runs?state=success" label={<><Glyph state="success" />Succeeded runs</>} value={activity ? count(activity.runs.success) : "…"} sub={`in ${hours} h`} />
            <Stat to="/workers" label="Slots" value={<>{count(data.slots.used)}<span className="of"> of {count(data.slots.total)}</span></>} sub={<Meter label={`${data.slots.used} of ${data.slots.total} slots used`} parts={[{ kind: "used", share: data.slots.total ? data.slots.used / data.slots.total : 0 }]} />} />
            <Stat to="/dags" label="DAGs" value={count(data.dags.active)} sub={`${data.dags.paused} paused`} />
          </div>
          <LanesPanel hours={hours} wanted={painted} />
          <div className="columns">
            <div>
              <Panel title={`Failures${data.failures.length ? ` (${data.failures.length})` : ""}`} flush extra={<Link to="/dag_runs?state=failed">all</Link>}><Failures data={data} /></Panel>
              <Untold />
              {errors.data && errors.data.import_errors.length > 0 && (
                <Panel title={`Import errors (${errors.data.import_errors.length})`} flush extra={<Link to="/import_errors">all</Link>}>
                  <ul className="list">{errors.data.import_errors.slice(0, 4).map((e) => <ImportErrorItem key={e.import_error_id} error={e} />)}</ul>
                </Panel>
              )}
              <WorkerList />
              <Demand hours={hours} />
            </div>
            <div>
              <Panel title="Running now" flush extra={<Link to="/dag_runs?state=running">all</Link>}><Running data={data} /></Panel>
              <Panel title={`Task tries that ended, last ${hours} h`}><Ended activity={activity} /></Panel>
              <Panel title="Next runs" flush>
                {data.next.length ? (
                  <ul className="list">{data.next.slice(0, 8).map((n) => <li key={n.dag_id}><div className="line"><Link to={path_of.dag(n.dag_id)} className="clip strong">{n.dag_id}</Link><span className="muted clip grow">{schedule_words(n.schedule)}</span><When at={n.at} relative /></div></li>)}</ul>
                ) : <Empty title="Nothing is planned.">Every DAG is paused or runs by hand.</Empty>}
              </Panel>
            </div>
          </div>
        </>
      )}
    </Loaded>
  );
}
