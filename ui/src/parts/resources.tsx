// SPDX-License-Identifier: Apache-2.0
/* resources - what a task used: in each try of this run, and run by run. */
import { url_of } from "../lib/api.ts";
import { later } from "../lib/later.tsx";
import { useFollow } from "../lib/live.ts";
import type { TaskPage, Try, Usage } from "../lib/model.ts";
import { bytes, plural } from "../lib/number.ts";
import type { Reduced } from "../lib/reduce.ts";
import { go, Link, path_of } from "../lib/router.tsx";
import type { StreamEvent } from "../lib/stream.ts";
import { duration, label_of_runs } from "../lib/time.ts";
import { growth } from "../lib/usage.ts";
import { Empty, Loaded, Panel } from "./basics.tsx";
import { Span, useZone } from "./clock.tsx";
import { StateWord } from "./state.tsx";

const Chart = later(() => import("./chart.tsx"), <div style={{ height: 200 }} />);

/* How many processors it kept busy while it ran. */
function processors(t: Try): string {
  return t.cpu_ms === null || t.start === null || t.end === null || t.end <= t.start ? "—" : (t.cpu_ms / (t.end - t.start)).toFixed(2);
}

function Tries({ page, limit }: { page: TaskPage; limit: number | null }) {
  if (page.is_mapped) return null; // its instances have tries
  if (!page.tries.length) return <Panel><Empty title="It has not been tried yet." /></Panel>;
  return (
    <Panel flush title="In this run">
      <div className="scroll-x" tabIndex={0} role="group" aria-label="Tries"><table className="table">
        <thead><tr><th>Try</th><th>State</th><th>Worker</th><th className="right">Ran</th><th className="right">CPU time</th><th className="right">Processors busy</th><th className="right">Peak memory</th><th className="right">Limit</th></tr></thead>
        <tbody>{[...page.tries].reverse().map((t) => (
          <tr key={t.attempt_id}>
            <td className="num">{t.try}</td><td><StateWord state={t.state} /></td><td>{t.worker ? <Link to={path_of.worker(t.worker)}>{t.worker}</Link> : "—"}</td>
            <td className="right"><Span start={t.start} end={t.end} /></td><td className="right num">{duration(t.cpu_ms)}</td><td className="right num">{processors(t)}</td>
            <td className="right num">{bytes(t.memory_peak_bytes)}</td><td className="right num">{bytes(limit)}</td>
          </tr>
        ))}</tbody>
      </table></div>
    </Panel>
  );
}

function Outlook({ usage, limit }: { usage: Usage; limit: number | null }) {
  const grows = growth(usage.memory_peak_bytes, limit);
  if (!grows) return null;
  return (
    <div className={`note ${grows.runs_left === null ? "" : "warn"}`}>
      Its memory grows: {bytes(grows.before)} in the older half of these runs, {bytes(grows.after)} in the newer, {grows.factor.toFixed(1)} × as much.{" "}
      {grows.runs_left === null ? "It has no limit of its own." : grows.runs_left === 0 ? `It is at its limit of ${bytes(limit)}, beyond which it is killed.` : `If that goes on it meets its limit of ${bytes(limit)} in about ${plural(grows.runs_left, "run")}, and is killed.`}
    </div>
  );
}

function Trend({ page, usage, limit }: { page: TaskPage; usage: Usage; limit: number | null }) {
  const zone = useZone();
  if (!usage.run_id.length) return <Panel><Empty title="It has not run yet." /></Panel>;
  const at = usage.run_id.map((_, i) => i);
  const marks = at.filter((i) => usage.run_id[i] === page.run_id).map((i) => ({ at: i, text: "this run" }));
  const failed = (values: (number | null)[]) => values.map((v, i) => (usage.failed[i] ? v : null));
  const common = { at, marks, height: 200, x_text: label_of_runs(usage.start, zone), onClick: (i: number) => go(path_of.task(page.dag_id, usage.run_id[i], page.task_id, page.map_index, "resources")) };
  return (
    <>
      <Outlook usage={usage} limit={limit} />
      <Panel title={`Peak memory, ${usage.run_id.length === 1 ? "one run" : `last ${usage.run_id.length} runs`}`}>
        <Chart {...common} label="Peak memory by run" format={bytes} series={[
          { name: "Peak memory", group: "active", values: usage.memory_peak_bytes, fill: true },
          ...(usage.memory_max_bytes.some((v) => v !== null) ? [{ name: "Limit", group: "plain" as const, values: usage.memory_max_bytes, dash: [5, 3], stepped: true }] : []),
          { name: "Failed", group: "bad", values: failed(usage.memory_peak_bytes), points: true },
        ]} />
      </Panel>
      <Panel title="CPU time beside the time it ran">
        <Chart {...common} label="CPU time and duration by run" format={duration} series={[
          { name: "Ran", group: "waiting", values: usage.ran_ms, dash: [4, 3] },
          { name: "CPU time", group: "active", values: usage.cpu_ms, fill: true },
          { name: "Failed", group: "bad", values: failed(usage.ran_ms), points: true },
        ]} />
        <p className="muted">{page.is_mapped ? "Times are those of all instances of a run together (of the first 500), memory is that of the largest. " : "Times are those of all tries of a run together, memory is that of the largest. "}The dotted line is this run. A click opens another.</p>
      </Panel>
    </>
  );
}

export default function Resources({ page, topics, reduce }: { page: TaskPage; topics: string[]; reduce: (data: Usage, event: StreamEvent) => Reduced<Usage> }) {
  const usage = useFollow<Usage>(url_of.usage(page.dag_id, page.task_id, page.map_index), topics, reduce);
  const limits = usage.data?.memory_max_bytes ?? [];
  const here = usage.data?.run_id.indexOf(page.run_id) ?? -1;
  const limit = limits.at(-1) ?? null; // of the newest version that ran: what comes is held to it
  return (
    <div className="stack">
      <Tries page={page} limit={limits[here] ?? null} />
      <Loaded from={usage} rows={8}>{(data) => <Trend key={data.run_id.at(-1)} page={page} usage={data} limit={limit} />}</Loaded>
    </div>
  );
}
