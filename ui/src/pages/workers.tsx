// SPDX-License-Identifier: Apache-2.0
/* workers - who executes, how full they are, and why there are as many as there are. */
import { useMemo, useState } from "react";
import { api_send, server_now, V1 } from "../lib/api.ts";
import { later } from "../lib/later.tsx";
import { useFollow } from "../lib/live.ts";
import { useMay } from "../lib/me.ts";
import type { Autoscaling, ScaledQueue, Worker, Workers as WorkersData } from "../lib/model.ts";
import { bytes, count, percent } from "../lib/number.ts";
import { REFETCH, reduce_with_loads } from "../lib/reduce.ts";
import { Link, path_of, query_set, useQuery } from "../lib/router.tsx";
import { Dialog, Empty, Loaded, Panel, toast, toast_error } from "../parts/basics.tsx";
import { Span, When } from "../parts/clock.tsx";
import { PageHead, useTitle } from "../parts/head.tsx";
import { Glyph, Meter } from "../parts/state.tsx";
import "../styles/workers.css";

const Chart = later(() => import("../parts/chart.tsx"), <div style={{ height: 210 }} />);

const LOOK: Record<string, [string, string]> = { present: ["success", "Present"], draining: ["up_for_reschedule", "Draining"], drained: ["skipped", "Drained"], ended: ["removed", "Ended"], lost: ["failed", "Lost"] };

const WRITTEN_MS = 75_000; // a worker that is there is written down once a minute

const is_there = (w: Worker) => w.state !== "ended" && w.state !== "lost";

function WorkerState({ state }: { state: string }) {
  const [look, word] = LOOK[state] ?? ["none", state];
  return <span className="row tight nowrap"><Glyph state={look} />{word}</span>;
}

/* Each slot is a square: what is full is seen without reading. */
function Slots({ used, slots }: { used: number; slots: number }) {
  const label = `${used} of ${slots} slots used`;
  if (slots > 32) return <Meter label={label} parts={[{ kind: "used", share: slots ? used / slots : 0 }]} />;
  return <span className="slots" role="img" aria-label={label} title={label}>{Array.from({ length: slots }, (_, i) => <i key={i} className={i < used ? "on" : ""} />)}</span>;
}

function DrainDialog({ worker, onClose }: { worker: Worker; onClose: () => void }) {
  const [reason, set_reason] = useState("");
  const submit = async () => {
    try {
      await api_send("POST", `${V1}/workers/${encodeURIComponent(worker.name)}/drain`, reason ? { reason } : {});
      toast(`${worker.name} takes no more tasks.`);
      onClose();
    } catch (e) { toast_error(e); }
  };
  return (
    <Dialog title={`Drain ${worker.name}`} onClose={onClose} footer={<><button className="button" onClick={onClose}>Cancel</button><button className="button primary" onClick={() => void submit()}>Drain {worker.name}</button></>}>
      <p>It is given no more tasks. {worker.used ? `Its ${count(worker.used)} running ${worker.used === 1 ? "task goes" : "tasks go"} on to the end;` : "It runs nothing now;"} when the last result is recorded it is drained, and may be stopped.</p>
      <div className="field"><label htmlFor="drain-reason">Reason (kept in the audit log)</label><input id="drain-reason" className="input" autoFocus value={reason} onChange={(e) => set_reason(e.target.value)} /></div>
    </Dialog>
  );
}

function WorkerTable({ data, onDrain }: { data: WorkersData; onDrain: (w: Worker) => void }) {
  const may = useMay("workers.edit");
  const open = useQuery("worker");
  const resume = async (name: string) => {
    try { await api_send("POST", `${V1}/workers/${encodeURIComponent(name)}/resume`, {}); toast(`${name} takes tasks again.`); } catch (e) { toast_error(e); }
  };
  if (!data.workers.length) return <Empty title="No worker is here."><span>Start one, and it appears within a second:</span><pre className="code" tabIndex={0}>headrace worker --queues default --slots 8</pre></Empty>;
  return (
    <div className="scroll-x" tabIndex={0} role="group" aria-label="Table"><table className="table">
      <thead><tr><th>Worker</th><th>State</th><th>Slots</th><th className="right phone-off">Used</th><th className="phone-off">Queues</th><th className="right phone-off">CPU</th><th className="right phone-off">Memory</th><th className="phone-off">Version</th><th className="phone-off" title="Written down once a minute">Heard</th><th className="phone-off">Up</th><th><span className="visually-hidden">Actions</span></th></tr></thead>
      <tbody>{data.workers.map((w) => [
        <tr key={w.name} aria-selected={open === w.name}>
          <td><button className="link strong" aria-expanded={open === w.name} onClick={() => query_set({ worker: open === w.name ? null : w.name })}>{open === w.name ? "▾" : "▸"} {w.name}</button><div className="muted small-text">{w.host}</div></td>
          <td><WorkerState state={w.state} />{w.drain_reason && <div className="muted small-text clip">{w.drain_reason}</div>}</td>
          <td><Slots used={w.used} slots={w.slots} /></td><td className="right num phone-off">{w.used} of {w.slots}</td>
          <td className="phone-off">{w.queues.map((q) => <span key={q} className="tag">{q}</span>)}</td>
          <td className="right num nowrap phone-off">{w.cpu_percent === null ? "—" : percent(w.cpu_percent / 100)}</td>
          <td className={`right num nowrap phone-off${(w.memory_bytes ?? 0) > 0.9 * (w.memory_total_bytes ?? 0) ? " warn-text" : ""}`}>{w.memory_bytes === null ? "—" : `${bytes(w.memory_bytes)} of ${bytes(w.memory_total_bytes)}`}</td>
          <td className="phone-off muted">{w.version}</td><td className="phone-off">{is_there(w) && server_now() - (w.heartbeat_at ?? 0) < WRITTEN_MS ? "within a minute" : <When at={w.heartbeat_at} relative />}</td><td className="phone-off">{is_there(w) ? <Span start={w.started_at} end={null} /> : <span className="faint">—</span>}</td>
          <td className="right">{may && (w.state === "present" ? <button className="button small" onClick={() => onDrain(w)}>Drain…</button> : w.state === "draining" || w.state === "drained" ? <button className="button small" onClick={() => void resume(w.name)}>Resume</button> : null)}</td>
        </tr>,
        open === w.name && (
          <tr key={`${w.name}-tasks`} className="sub"><td colSpan={11}>
            {w.tasks.length === 0 ? <span className="muted">It runs nothing.</span> : <ul className="worker-tasks">{w.tasks.map((t) => <li key={`${t.run_id}${t.task_id}${t.map_index}`} className="row"><Glyph state="running" /><Link to={path_of.task(t.dag_id, t.run_id, t.task_id, t.map_index)}>{t.task_id}{t.map_index >= 0 ? `[${t.map_index}]` : ""}</Link><span className="muted clip">{t.dag_id}</span><span className="grow" />{t.try > 1 && <span className="muted">try {t.try}</span>}<Span start={t.start} end={null} /></li>)}</ul>}
            <Link to={`/task_instances?worker=${encodeURIComponent(w.name)}`}>All it has run</Link>
          </td></tr>
        ),
      ])}</tbody>
    </table></div>
  );
}

function Scaled({ queue }: { queue: ScaledQueue }) {
  const format = (v: number) => String(Math.round(v * 10) / 10);
  const workers = useMemo(() => [
    { name: "Demand (workers)", group: "plain" as const, values: queue.demands.map((d) => d / queue.slots), fill: true, stepped: true },
    { name: "Wanted", group: "waiting" as const, values: queue.wanteds, dash: [5, 3], stepped: true },
    { name: "Present", group: "active" as const, values: queue.presents, stepped: true },
  ], [queue]);
  return (
    <Panel title={<>Autoscaling of queue {queue.queue}</>} extra={<span className="muted nowrap phone-off">{queue.provider} · {queue.min} to {queue.max} workers of {queue.slots} slots</span>}>
      <div className="stack tight">
        {!queue.healthy && <div className="note bad">The provider fails: {queue.error}</div>}
        <p className="sentence">{queue.demand === 1 ? "1 task runs or waits" : `${count(queue.demand)} tasks run or wait`}; that needs <b>{queue.wanted}</b> {queue.wanted === 1 ? "worker" : "workers"}, <b>{queue.present}</b> {queue.present === 1 ? "is" : "are"} present{queue.draining ? `, ${queue.draining} draining` : ""}.</p>
        <Chart at={queue.at} series={workers} height={180} format={format} label={`Workers of queue ${queue.queue}`} marks={queue.events.slice(0, 60).map((e) => ({ at: e.at, text: e.reason }))} />
        {queue.events.length === 0 ? <p className="muted">No decision in this time.</p> : (
          <ul className="scale-events" tabIndex={0} aria-label="Decisions, newest first">{queue.events.slice(0, 40).map((e, i) => <li key={i} className="row"><When at={e.at} time_only /><span className={`scale ${e.kind}`}>{{ out: "+", in: "−", failed: "✕", missing: "?" }[e.kind] ?? "·"} {e.from} → {e.to}</span><span className="grow">{e.reason}</span></li>)}</ul>
        )}
      </div>
    </Panel>
  );
}

export default function Workers({ params }: { params: Record<string, string> }) {
  useTitle("Workers");
  const hours = Number(useQuery("hours") || 6);
  const [drain, set_drain] = useState<Worker | null>(null);
  const workers = useFollow<WorkersData>(`${V1}/workers`, ["workers"], reduce_with_loads);
  const scaling = useFollow<Autoscaling & { seq?: number }>(`${V1}/autoscaling?hours=${hours}`, ["workers"], (d, event) => (event.name === "workers" ? REFETCH : d));
  useMemo(() => { if (params.worker) query_set({ worker: params.worker }); }, [params.worker]);
  const sum = (f: (w: Worker) => number) => (workers.data?.workers ?? []).reduce((n, w) => n + f(w), 0);
  return (
    <>
      <PageHead title={<h1>Workers</h1>} meta={workers.data && <><span><b>{workers.data.workers.filter((w) => w.state === "present").length}</b> present</span><span><b>{count(sum((w) => w.used))}</b> of <b>{count(sum((w) => (w.state === "present" ? w.slots : 0)))}</b> slots used</span></>} />
      <Panel flush><Loaded from={workers} rows={5}>{(data) => <WorkerTable data={data} onDrain={set_drain} />}</Loaded></Panel>
      <div className="columns">
        <div>
          <Loaded from={scaling} rows={6}>{(data) => data.queues.length ? <>{data.queues.map((q) => <Scaled key={q.queue} queue={q} />)}</> : <Panel title="Autoscaling"><Empty title="No queue is scaled by itself."><span>A section <code>[autoscale.default]</code> with min, max, slots and provider turns it on.</span></Empty></Panel>}</Loaded>
        </div>
        <div>
          <Panel title="Queues" flush>
            {workers.data && (workers.data.queues.length === 0 ? <Empty title="No queue has a worker." /> : (
              <div className="scroll-x" tabIndex={0} role="group" aria-label="Queues"><table className="table"><thead><tr><th>Queue</th><th className="right">Workers</th><th>Slots</th><th><span className="visually-hidden">What waits</span></th></tr></thead>
                <tbody>{workers.data.queues.map((q) => <tr key={q.queue}><td className="strong">{q.queue}</td><td className="right num">{q.workers}</td><td><div className="row"><Meter label={`${q.used} of ${q.slots}`} parts={[{ kind: "used", share: q.slots ? q.used / q.slots : 0 }]} /><span className="num muted nowrap">{q.used}/{q.slots}</span></div></td><td className="right"><Link to={path_of.queue(q.queue)}>what waits</Link></td></tr>)}</tbody></table></div>
            ))}
          </Panel>
          <div className="row"><span className="grow" /><label className="row tight muted">Chart of the last<select className="select" value={hours} onChange={(e) => query_set({ hours: e.target.value })}>{[1, 6, 24, 72].map((h) => <option key={h} value={h}>{h} h</option>)}</select></label></div>
        </div>
      </div>
      {drain && <DrainDialog worker={drain} onClose={() => set_drain(null)} />}
    </>
  );
}
