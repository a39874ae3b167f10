// SPDX-License-Identifier: Apache-2.0
/* why - the sentence that says why a task is where it is, with the object that blocks it as a link. */
import { useEffect } from "react";
import { V1 } from "../lib/api.ts";
import { useFetch } from "../lib/live.ts";
import type { Reason, Why } from "../lib/model.ts";
import { Link, path_of } from "../lib/router.tsx";
import { is_final } from "../states.ts";
import { When } from "./clock.tsx";

function target(object: NonNullable<Reason["object"]>, dag: string, run: string): string {
  switch (object.kind) {
    case "task": return path_of.task(object.dag_id ?? dag, object.run_id ?? run, object.id, object.map_index ?? -1);
    case "run": return path_of.run(object.dag_id ?? dag, object.id);
    case "dag": return path_of.dag(object.id);
    case "worker": return path_of.worker(object.id);
    case "queue": return path_of.queue(object.id);
    case "pool": return `/pools?q=${encodeURIComponent(object.id)}`;
    default: return "/workers";
  }
}

function ReasonLine({ reason, dag, run }: { reason: Reason; dag: string; run: string }) {
  return (
    <li>
      <span className="sentence">{reason.sentence}</span>
      {reason.until && <span className="muted"> Changes <When at={reason.until} relative />.</span>}
      {reason.object && <> <Link to={target(reason.object, dag, run)} className="nowrap">Open {reason.object.kind} {reason.object.id}</Link></>}
      {reason.advice && <div className="muted">{reason.advice}</div>}
    </li>
  );
}

export function WhyBox({ dag, run, task, map, state, error }: { dag: string; run: string; task?: string; map: number; state: string; error?: string | null }) {
  const ask = state === "success" || state === "running" ? null : `${V1}/why?dag_id=${encodeURIComponent(dag)}&run_id=${encodeURIComponent(run)}${task ? `&task_id=${encodeURIComponent(task)}&map_index=${map}` : ""}`;
  const why = useFetch<Why>(ask);
  // A reason ages: while something waits it is asked for again.
  useEffect(() => {
    if (!ask || is_final(state)) return;
    const timer = setInterval(() => !document.hidden && why.refetch(), 4000);
    return () => clearInterval(timer);
  }, [ask, state]);
  useEffect(() => { if (ask) why.refetch(); }, [state]);
  if (error) return <div className="note bad"><code className="pre">{error}</code></div>;
  if (!ask || !why.data || state === "failed" && !why.data.reasons.length) return null;
  return <ul className={`note why${is_final(state) ? "" : " warn"}`} aria-label="Why">{why.data.reasons.map((r, i) => <ReasonLine key={i} reason={r} dag={dag} run={run} />)}</ul>;
}
