// SPDX-License-Identifier: Apache-2.0
/* timeline - when each task of a run waited and ran. */
import { useMemo, useState } from "react";
import { url_of } from "../lib/api.ts";
import { KIND_MAPPED, type RunPage, type Shape } from "../lib/model.ts";
import { axis_of, critical_path } from "../lib/gantt.ts";
import { path_of } from "../lib/router.tsx";
import { clock, duration } from "../lib/time.ts";
import LogTail from "../log/tail.tsx";
import { state_of_letter } from "../states.ts";
import { Empty, Panel } from "./basics.tsx";
import { useTick, useZone } from "./clock.tsx";
import { Gantt } from "./gantt.tsx";

/* The attempt that a bar stands for, and the ones before it. */
function AttemptLog({ page, id, tries, is_open }: { page: RunPage; id: string; tries: number; is_open: boolean }) {
  const [attempt, set_attempt] = useState(tries);
  const url = url_of.log(page.dag_id, page.run.run_id, id, -1, attempt);
  return (
    <>
      {tries > 1 && <div className="row wrap" role="group" aria-label="Tries">{Array.from({ length: tries }, (_, i) => <button key={i} className="chip" aria-pressed={attempt === i + 1} onClick={() => set_attempt(i + 1)}>Try {i + 1}</button>)}</div>}
      <LogTail key={url} url={url} runs={is_open && attempt === tries} label={`Log of ${id}, try ${attempt}`} to={`${path_of.task(page.dag_id, page.run.run_id, id)}?try=${attempt}`} />
    </>
  );
}

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
      <Gantt label="Timeline of the tasks" axis={axis} tick={(t) => clock(t, zone, axis.ticks.length > 1 && axis.ticks[1] - axis.ticks[0] < 1000)} rows={rows.map((o) => {
        const [queued, start, end, state] = [page.queued[o], page.start[o]!, end_of(o), state_of_letter(page.st[o])];
        return {
          id: shape.id[o], name: shape.id[o], to: path_of.task(page.dag_id, page.run.run_id, shape.id[o]), state, queued, start, end, marked: path.has(o),
          detail: shape.kind[o] === KIND_MAPPED || !page.try[o] ? undefined : () => <AttemptLog page={page} id={shape.id[o]} tries={page.try[o]} is_open={"rz".includes(page.st[o])} />,
          title: `${shape.id[o]}: ${state.word}\nwaited ${queued === null ? "—" : duration(start - queued)}, ran ${duration(end - start)}${page.try[o] > 1 ? `, try ${page.try[o]}` : ""}`,
        };
      })} />
    </Panel>
  );
}
