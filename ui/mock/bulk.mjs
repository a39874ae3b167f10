// SPDX-License-Identifier: Apache-2.0
// One action upon many rows, told line by line. The mock takes its time, so that progress can be seen; while it is held, no
// more than ten are done. It deletes no run that is still going.
import { actions } from "./actions.mjs";
import { pages } from "./pages.mjs";

const EACH_MS = 15;
const WHILE_HELD = 10;
const MATCHES_MAX = 10_000;

function asked(kind, row, action) {
  const run = ["v2", "dags", row.dag_id, "dagRuns", row.run_id];
  if (kind === "tasks" && action === "clear") return ["POST", ["v2", "dags", row.dag_id, "clearTaskInstances"], { dry_run: false, only_failed: false, dag_run_id: row.run_id, task_ids: [row.task_id] }];
  if (kind === "tasks") return ["PATCH", [...run, "taskInstances", row.task_id], { new_state: action }];
  if (action === "delete") return ["DELETE", run, {}];
  if (action.startsWith("clear")) return ["POST", [...run, "clear"], { dry_run: false, only_failed: action === "clear_failed" }];
  return ["PATCH", run, { state: action }];
}

function act(world, kind, row, action) {
  const run = world.run(row.dag_id, row.run_id);
  if (action === "delete" && run && run.end === null) return { status: 409, refused: "the run is going on: stop it first" };
  const answer = actions(world, ...asked(kind, row, action));
  return answer && answer.status < 300 ? {} : { status: answer?.status ?? 404, refused: answer?.body.detail ?? "there is no such thing" };
}

export function bulk(world, kind, query, body, refuse, res) {
  query.set("limit", "0");
  const matches = pages.get(world, ["headrace", "v1", "ui", kind], query).matches;
  if (!body.items && matches > body.expected * 1.01) return refuse(409, { detail: { reason: "more_match", message: `${matches} match now, not ${body.expected}: look again` } });
  query.set("limit", String(MATCHES_MAX));
  const rows = (body.items ?? pages.get(world, ["headrace", "v1", "ui", kind], query)[kind]).map(({ dag_id, run_id, task_id, map_index }) => ({ dag_id, run_id, task_id, map_index }));
  const write = (line) => res.write(JSON.stringify(line) + "\n");
  res.writeHead(200, { "Content-Type": "application/x-ndjson", "Cache-Control": "no-store" });
  write({ total: rows.length });
  let told = 0;
  const timer = setInterval(() => {
    if (world.held && told === WHILE_HELD) return;
    const row = rows.shift();
    told++;
    if (row) return write({ ...row, ...act(world, kind, row, body.action) });
    clearInterval(timer);
    write({ end: "all" });
    res.end();
  }, EACH_MS);
  res.on("close", () => clearInterval(timer));
}
