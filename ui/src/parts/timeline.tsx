// SPDX-License-Identifier: Apache-2.0
/* timeline - when each task of a run waited and ran. */
import { useMemo, useState } from "react";
import type { RunPage, Shape } from "../lib/model.ts";
import { axis_of, critical_path } from "../lib/gantt.ts";
import { path_of } from "../lib/router.tsx";
import { clock, duration } from "../lib/time.ts";
import { state_of_letter } from "../states.ts";
import { Empty, Panel } from "./basics.tsx";
import { useTick, useZone } from "./clock.tsx";
import { Gantt } from "./gantt.tsx";

export default function Timeline({ page, shape }: { page: RunPage; shape: Shape }) {
  const zone = useZone();
  const live = page.run.end === null;
  const now = useTick(live);
  const [critical, set_critical] = useState(false);
  const [sort, set_sort] = useState("start");
  const tasks = useMemo(() => shape.kind.flatMap((k, o) => (k !== 1 && page.start[o] !== null ? [o] : [])), [shape, page.start]);
  const end_of = (o: number) => ("rqz".includes(page.st[o]) || page.end[o] === null ? now : page.end[o]!);
  const begin_of = (o: number) => Math.min(page.queued[o] ?? Infinity, page.start[o]!);
  const path = useMemo(() => (critical ? critical_path(page.end, shape.from, shape.to) : new Set<number>()), [critical, page.end, shape]);
  if (!tasks.length) return <Panel><Empty title="No task has started yet." /></Panel>;
  const axis = axis_of(tasks.map((o) => ({ from: begin_of(o), to: end_of(o) })), page.run.start ?? Infinity);
  const rows = [...tasks].sort((a, b) => (sort === "start" ? page.start[a]! - page.start[b]! : end_of(b) - page.start[b]! - (end_of(a) - page.start[a]!)) || a - b);
  return (
    <Panel flush title="Timeline" extra={<>
      <label className="check"><input type="checkbox" checked={critical} onChange={(e) => set_critical(e.target.checked)} />Critical path</label>
      <select className="select" aria-label="Order" value={sort} onChange={(e) => set_sort(e.target.value)}><option value="start">By start</option><option value="duration">By duration</option></select>
    </>}>
      <Gantt label="Timeline of the tasks" axis={axis} tick={(t) => clock(t, zone)} rows={rows.map((o) => {
        const [queued, start, end, state] = [page.queued[o], page.start[o]!, end_of(o), state_of_letter(page.st[o])];
        return {
          id: shape.id[o], name: shape.id[o], to: path_of.task(page.dag_id, page.run.run_id, shape.id[o]), state, queued, start, end, marked: path.has(o),
          title: `${shape.id[o]}: ${state.word}\nwaited ${queued === null ? "—" : duration(start - queued)}, ran ${duration(end - start)}${page.try[o] > 1 ? `, try ${page.try[o]}` : ""}`,
        };
      })} />
    </Panel>
  );
}
