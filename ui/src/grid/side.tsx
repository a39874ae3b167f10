// SPDX-License-Identifier: Apache-2.0
/* side - what stands beside the grid for the cell, run or task that is picked. */
import { useState } from "react";
import { url_of } from "../lib/api.ts";
import { useFollow } from "../lib/live.ts";
import { useMayOn } from "../lib/me.ts";
import type { Cells, Shape, TaskPage } from "../lib/model.ts";
import { reduce_refetch } from "../lib/reduce.ts";
import { Link, path_of } from "../lib/router.tsx";
import { median } from "../lib/number.ts";
import { duration } from "../lib/time.ts";
import { ClearDialog, MarkDialog } from "../parts/actions.tsx";
import { Icon, ICON, Loaded } from "../parts/basics.tsx";
import { Span, When } from "../parts/clock.tsx";
import { StateWord } from "../parts/state.tsx";
import { WhyBox } from "../parts/why.tsx";
import { count_groups, RUN_LETTERS } from "../states.ts";
import type { Picked } from "./grid.tsx";

function CellSide({ dag, run, task }: { dag: string; run: string; task: string }) {
  const [dialog, set_dialog] = useState("");
  const may = useMayOn(dag)("tasks.edit");
  const page = useFollow<TaskPage>(url_of.task(dag, run, task, -1), [`run:${encodeURIComponent(dag)}/${encodeURIComponent(run)}`], reduce_refetch);
  return (
    <Loaded from={page} rows={5}>
      {(t) => (
        <>
          <div className="row"><StateWord state={t.state} big /><span className="grow" />{t.try > 0 && <span className="muted">try {t.try} of {t.max_tries}</span>}</div>
          <WhyBox dag={dag} run={run} task={task} map={-1} state={t.state} error={t.error} />
          <dl className="facts">
            <dt>Ran</dt><dd><Span start={t.start} end={t.end} /></dd>
            <dt>Waited</dt><dd>{t.start && t.scheduled_at ? duration(t.start - t.scheduled_at) : "—"}</dd>
            <dt>Started</dt><dd><When at={t.start} /></dd>
            {t.worker && <><dt>Worker</dt><dd><Link to={path_of.worker(t.worker)}>{t.worker}</Link></dd></>}
            <dt>Run</dt><dd className="clip"><Link to={path_of.run(dag, run)}>{run}</Link></dd>
          </dl>
          <div className="row wrap">
            <Link className="button primary" to={path_of.task(dag, run, task)}>Open log</Link>
            {may && <button className="button" onClick={() => set_dialog("clear")}>Clear…</button>}
            {may && <button className="button" onClick={() => set_dialog("mark")}>Mark…</button>}
          </div>
          {dialog === "clear" && <ClearDialog dag={dag} run={run} tasks={[task]} onClose={() => set_dialog("")} />}
          {dialog === "mark" && <MarkDialog dag={dag} run={run} task={task} map={-1} onClose={() => set_dialog("")} />}
        </>
      )}
    </Loaded>
  );
}

/* The tasks of a run that one would look for: what failed, then what runs or waits for a slot. */
function Notable({ dag, shape, run, st }: { dag: string; shape: Shape; run: string; st: string }) {
  const all = [..."furzqoyd"].flatMap((letter) => [...st].flatMap((l, o) => (l === letter ? [o] : [])));
  if (!all.length) return null;
  return (
    <ul className="notable" aria-label="Tasks of note">
      {all.slice(0, 12).map((o) => <li key={o} className="row"><StateWord letter={st[o]} /><Link className="clip grow" to={path_of.task(dag, run, shape.id[o])}>{shape.id[o]}</Link></li>)}
      {all.length > 12 && <li className="muted">and {all.length - 12} more</li>}
    </ul>
  );
}

function RunSide({ dag, shape, cells, run }: { dag: string; shape: Shape; cells: Cells; run: number }) {
  const [dialog, set_dialog] = useState("");
  const may = useMayOn(dag)("tasks.edit");
  const counts = count_groups(cells.st[run]);
  const id = cells.runs.id[run];
  return (
    <>
      <div className="row"><StateWord state={RUN_LETTERS[cells.runs.state[run]]} big /><Link className="clip muted" to={path_of.run(dag, id)}>{id}</Link></div>
      <dl className="facts">
        <dt>Type</dt><dd>{cells.runs.type[run]}</dd>
        <dt>Took</dt><dd><Span start={cells.runs.start[run]} end={cells.runs.end[run]} /></dd>
        <dt>Started</dt><dd><When at={cells.runs.start[run]} /></dd>
        <dt>Version</dt><dd>{cells.runs.version[run]}</dd>
        <dt>Tasks</dt><dd>{counts.good} succeeded or skipped, {counts.bad} failed or blocked, {counts.active} active, {counts.waiting + counts.idle} to come</dd>
        {cells.runs.note[run] && <><dt>Note</dt><dd>{cells.runs.note[run]}</dd></>}
      </dl>
      <Notable dag={dag} shape={shape} run={id} st={cells.st[run]} />
      <div className="row wrap">
        <Link className="button primary" to={path_of.run(dag, id)}>Open run</Link>
        {may && <button className="button" onClick={() => set_dialog("clear")}>Clear failed…</button>}
      </div>
      {dialog === "clear" && <ClearDialog dag={dag} run={id} only_failed onClose={() => set_dialog("")} />}
    </>
  );
}

function TaskSide({ shape, cells, ordinal }: { shape: Shape; cells: Cells; ordinal: number }) {
  const counts = count_groups(cells.st.map((st) => st[ordinal]).join(""));
  const retried = cells.tries.filter((t) => t[1] === ordinal).length;
  const ups = shape.to.flatMap((to, i) => (to === ordinal ? [shape.id[shape.from[i]]] : []));
  const downs = shape.from.flatMap((from, i) => (from === ordinal ? [shape.id[shape.to[i]]] : []));
  const spans = cells.runs.start.flatMap((s, i) => (s !== null && cells.runs.end[i] !== null ? [cells.runs.end[i]! - s] : []));
  return (
    <>
      <dl className="facts">
        <dt>Operator</dt><dd>{shape.op[ordinal]}</dd><dt>Rule</dt><dd>{shape.rule[ordinal]}</dd><dt>Queue</dt><dd>{shape.queue[ordinal]}</dd><dt>Pool</dt><dd>{shape.pool[ordinal]}</dd>
        <dt>Runs shown</dt><dd>{counts.good} good, {counts.bad} bad{retried ? `, ${retried} retried` : ""}</dd>
        <dt>Run takes</dt><dd>{duration(median(spans))} (median)</dd>
        <dt>After</dt><dd>{ups.slice(0, 6).join(", ") || "nothing"}{ups.length > 6 ? ` and ${ups.length - 6} more` : ""}</dd>
        <dt>Before</dt><dd>{downs.slice(0, 6).join(", ") || "nothing"}{downs.length > 6 ? ` and ${downs.length - 6} more` : ""}</dd>
      </dl>
      <Link className="button" to={path_of.dag_task(shape.dag_id, shape.id[ordinal])}>All its runs</Link>
    </>
  );
}

export function GridSide({ dag, shape, cells, picked, onClose }: { dag: string; shape: Shape; cells: Cells; picked: Picked; onClose: () => void }) {
  const run = picked.run >= 0 ? cells.runs.id[picked.run] : null;
  const title = picked.ordinal >= 0 ? shape.name[picked.ordinal] : "Run";
  const group = picked.ordinal >= 0 && shape.kind[picked.ordinal] === 1;
  return (
    <section className="panel" aria-label="Details of the selection">
      <header><h2 className="clip" title={title}>{title}</h2><span className="grow" /><button className="button quiet icon small" aria-label="Close details" onClick={onClose}><Icon d={ICON.close} size={12} /></button></header>
      <div className="body stack">
        {group ? <p className="muted">A group. Open it to see its tasks.</p>
          : picked.ordinal < 0 && run ? <RunSide dag={dag} shape={shape} cells={cells} run={picked.run} />
          : run ? <CellSide key={run + picked.ordinal} dag={dag} run={run} task={shape.id[picked.ordinal]} />
          : <TaskSide shape={shape} cells={cells} ordinal={picked.ordinal} />}
      </div>
    </section>
  );
}
