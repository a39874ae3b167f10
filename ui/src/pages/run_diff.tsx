// SPDX-License-Identifier: Apache-2.0
/* run_diff - what is different from the last run that succeeded: version, conf, states, durations, workers. */
import { url_of } from "../lib/api.ts";
import { useFetch } from "../lib/live.ts";
import type { RunPage, Shape } from "../lib/model.ts";
import { diff_values } from "../lib/diff.ts";
import { Link, path_of } from "../lib/router.tsx";
import { duration } from "../lib/time.ts";
import { state_of_letter } from "../states.ts";
import { Empty, Loaded, Panel } from "../parts/basics.tsx";
import { StateWord } from "../parts/state.tsx";

interface TaskDiff { id: string; before: string; after: string; span_before: number | null; span_after: number | null; worker_before: string | null; worker_after: string | null; score: number }

const span = (p: RunPage, o: number) => (p.start[o] !== null && p.end[o] !== null ? p.end[o]! - p.start[o]! : null);

/* Tasks that differ in state, or in duration by more than twice and a second. */
function task_diffs(now: RunPage, now_shape: Shape, good: RunPage, good_shape: Shape): TaskDiff[] {
  const there = new Map(good_shape.id.map((id, i) => [id, i]));
  const rows: TaskDiff[] = [];
  now_shape.id.forEach((id, o) => {
    if (now_shape.kind[o] === 1) return;
    const g = there.get(id);
    const before = g === undefined ? "-" : good.st[g];
    const a = span(now, o);
    const b = g === undefined ? null : span(good, g);
    const slower = a !== null && b !== null && Math.abs(a - b) > 1000 && (a > 2 * b || b > 2 * a);
    const other = before !== now.st[o];
    if (!slower && !other) return;
    const score = (now.st[o] === "f" ? 1e15 : other ? 1e12 : 0) + Math.abs((a ?? 0) - (b ?? 0));
    rows.push({ id, before, after: now.st[o], span_before: b, span_after: a, worker_before: g === undefined ? null : good.worker[g], worker_after: now.worker[o], score });
  });
  good_shape.id.forEach((id, g) => {
    if (good_shape.kind[g] !== 1 && !now_shape.id.includes(id)) rows.push({ id, before: good.st[g], after: "-", span_before: span(good, g), span_after: null, worker_before: good.worker[g], worker_after: null, score: 1e13 });
  });
  return rows.sort((a, b) => b.score - a.score);
}

export default function RunDiff({ page, shape }: { page: RunPage; shape: Shape }) {
  const good = useFetch<RunPage>(page.previous_good ? url_of.run(page.dag_id, page.previous_good) : null);
  const good_shape = useFetch<Shape>(good.data ? url_of.shape(page.dag_id, good.data.run.version) : null);
  if (!page.previous_good) return <Panel><Empty title="No run before this one has succeeded." /></Panel>;
  return (
    <Loaded from={good}>
      {(g) => (
        <Loaded from={good_shape}>
          {(gs) => {
            const rows = task_diffs(page, shape, g, gs);
            const values = [...diff_values(g.run.conf ?? {}, page.run.conf ?? {}, "conf"), ...diff_values(g.run.params ?? {}, page.run.params ?? {}, "params")];
            const took = (p: RunPage) => (p.run.start !== null && p.run.end !== null ? p.run.end - p.run.start : null);
            return (
              <div className="stack">
                <Panel title={<>Compared with <Link to={path_of.run(page.dag_id, page.previous_good!)}>{page.previous_good}</Link></>}>
                  <dl className="facts">
                    <dt>DAG version</dt><dd>{g.run.version === page.run.version ? `${page.run.version}, the same` : <><b>{g.run.version} → {page.run.version}</b> <Link to={path_of.dag(page.dag_id, "versions") + `?from=${g.run.version}&to=${page.run.version}`}>what changed</Link></>}</dd>
                    <dt>Took</dt><dd>{duration(took(g))} → {duration(took(page))}</dd>
                    <dt>Type</dt><dd>{g.run.run_type === page.run.run_type ? `${page.run.run_type}, the same` : `${g.run.run_type} → ${page.run.run_type}`}</dd>
                    <dt>Tasks</dt><dd>{gs.id.length === shape.id.length ? `${shape.id.length}, as many` : `${gs.id.length} → ${shape.id.length}`}</dd>
                    {values.length === 0 ? <><dt>Configuration</dt><dd>the same</dd></> : values.map((v) => [<dt key={v.path}>{v.path}</dt>, <dd key={`${v.path}v`} className="mono">{JSON.stringify(v.before) ?? "—"} → {JSON.stringify(v.after) ?? "—"}</dd>])}
                  </dl>
                </Panel>
                <Panel flush title={`${rows.length} ${rows.length === 1 ? "task differs" : "tasks differ"}`}>
                  {rows.length === 0 ? <Empty title="Every task ended alike and took about as long." /> : (
                    <div className="scroll-x" tabIndex={0} role="group" aria-label="Table"><table className="table">
                      <thead><tr><th>Task</th><th>Then</th><th>Now</th><th className="right">Took then</th><th className="right">Took now</th><th className="right">Factor</th><th className="phone-off">Worker</th></tr></thead>
                      <tbody>{rows.slice(0, 300).map((r) => (
                        <tr key={r.id}><td><Link to={path_of.task(page.dag_id, page.run.run_id, r.id)}>{r.id}</Link></td><td>{r.before === "-" ? <span className="muted">not there</span> : <StateWord state={state_of_letter(r.before).name} />}</td><td>{r.after === "-" ? <span className="muted">not there</span> : <StateWord letter={r.after} />}</td>
                          <td className="right num">{duration(r.span_before)}</td><td className="right num">{duration(r.span_after)}</td><td className="right num">{r.span_before && r.span_after ? `${(r.span_after / r.span_before).toFixed(1)} ×` : "—"}</td><td className="phone-off muted">{r.worker_before === r.worker_after ? r.worker_after ?? "—" : `${r.worker_before ?? "—"} → ${r.worker_after ?? "—"}`}</td></tr>
                      ))}</tbody>
                    </table></div>
                  )}
                </Panel>
              </div>
            );
          }}
        </Loaded>
      )}
    </Loaded>
  );
}
