// SPDX-License-Identifier: Apache-2.0
/* dag_timeline - the last runs of a DAG one under the other, each from when it was due; and the tasks of one of them. */
import { url_of } from "../lib/api.ts";
import { axis_of, from_due } from "../lib/gantt.ts";
import { useFetch, useFollow } from "../lib/live.ts";
import type { Cells, RunPage, Shape } from "../lib/model.ts";
import { reduce_run } from "../lib/reduce.ts";
import { Link, path_of, useQuery } from "../lib/router.tsx";
import { duration, instant } from "../lib/time.ts";
import { Empty, Loaded, Panel } from "../parts/basics.tsx";
import { useTick, useZone } from "../parts/clock.tsx";
import { Gantt, type GanttRow } from "../parts/gantt.tsx";
import Timeline from "../parts/timeline.tsx";
import { RUN_LETTERS, state_of } from "../states.ts";

const e = encodeURIComponent;

function run_rows(dag: string, runs: Cells["runs"], now: number, current: string, zone: string): GanttRow[] {
  const begun = runs.id.flatMap((_, i) => (runs.start[i] === null ? [] : [i]));
  const bars = from_due(begun.map((i) => ({ due: runs.run_after[i], start: runs.start[i]!, end: runs.end[i] ?? now })));
  return begun.map((i, n) => {
    const state = state_of(RUN_LETTERS[runs.state[i]]);
    return {
      id: runs.id[i], name: `${instant(runs.run_after[i], zone).slice(0, 16)}${runs.type[i] === "scheduled" ? "" : ` ${runs.type[i]}`}`, to: `${path_of.dag(dag, "gantt")}?run=${e(runs.id[i])}`, state, ...bars[n], current: runs.id[i] === current,
      title: `${runs.id[i]}: ${state.word}\nwaited ${duration(Math.max(0, runs.start[i]! - runs.run_after[i]))}, ran ${duration(bars[n].end - bars[n].start)}`,
    };
  });
}

function TasksOf({ dag, run, version }: { dag: string; run: string; version: number }) {
  const shape = useFetch<Shape>(url_of.shape(dag, version));
  const page = useFollow<RunPage>(url_of.run(dag, run), [`run:${e(dag)}/${e(run)}`], (data, event, gate) => reduce_run(data, event, gate, shape.data));
  return <Loaded from={shape} rows={8}>{(s) => <Loaded from={page} rows={8}>{(p) => <Timeline page={p} shape={s} />}</Loaded>}</Loaded>;
}

export default function DagTimeline({ dag, cells }: { dag: string; cells: Cells }) {
  const asked = useQuery("run");
  const { runs } = cells;
  const at = Math.max(0, runs.id.indexOf(asked));
  const zone = useZone();
  const now = useTick(runs.end.includes(null));
  const rows = run_rows(dag, runs, now, runs.id[at], zone);
  if (!rows.length) return <Panel><Empty title="No run has started yet." /></Panel>;
  return (
    <>
      <Panel flush title="Runs, each from when it was due" extra={<span className="muted phone-off">hatched: waited</span>}>
        <Gantt rows={rows} axis={axis_of(rows.map((r) => ({ from: 0, to: r.end })), 0)} tick={(t) => `+${duration(t)}`} label="Timeline of the runs" />
      </Panel>
      <h2 className="row">Tasks of <Link to={path_of.run(dag, runs.id[at])}>{runs.id[at]}</Link></h2>
      <TasksOf key={runs.id[at]} dag={dag} run={runs.id[at]} version={runs.version[at]} />
    </>
  );
}
