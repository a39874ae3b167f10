// SPDX-License-Identifier: Apache-2.0
// What the mock answers to GET.
import { IMPORT_ERRORS } from "./data.mjs";
import { log_lines } from "./log.mjs";
import { name_of, run_letter } from "./world.mjs";
import { store, v2 } from "./v2.mjs";

const HOUR = 3600_000;
const stamp = (world) => ({ seq: world.seq, now: world.now() });

function bars(runs) {
  return { key: runs.map((r) => r.key), id: runs.map((r) => r.run_id), state: runs.map((r) => run_letter(r.state)).join(""), type: runs.map((r) => r.type), run_after: runs.map((r) => r.run_after), start: runs.map((r) => r.start), end: runs.map((r) => r.end) };
}

function median(list) { const s = [...list].sort((a, b) => a - b); return s.length ? s[s.length >> 1] : null; }

function next_run(world, dag) {
  return dag.is_paused || !dag.schedule ? null : Math.ceil((world.now() + 1) / dag.period_ms) * dag.period_ms;
}

function dag_row(world, dag, n) {
  const active = dag.runs.filter((r) => r.state === "running").flatMap((r) => r.cells);
  return { dag_id: dag.id, display_name: dag.id, description: dag.description, tags: dag.tags, owners: [dag.owner], file: `${dag.id}.yaml`, is_paused: dag.is_paused, is_stale: !!dag.is_stale, is_favorite: !!dag.is_favorite, has_import_errors: false, schedule: dag.schedule, timezone: dag.timezone, next_run: next_run(world, dag), version: dag.version, task_count: dag.tasks.length,
    queued: active.filter((c) => c.st === "q").length, running: active.filter((c) => c.st === "r").length, median_ms: median(dag.runs.slice(0, 50).filter((r) => r.state === "success").map((r) => r.end - r.start)), runs: bars(dag.runs.slice(0, n)) };
}

function dags(world, q) {
  const n = Number(q.get("runs") ?? 14);
  const text = (q.get("q") ?? "").toLowerCase();
  const only = q.getAll("dag_id");
  let list = [...world.dags].filter((d) => (only.length ? only.includes(d.id) : !d.is_stale));
  if (text) list = list.filter((d) => [d.id, d.description, d.owner, ...d.tags].some((t) => t.toLowerCase().includes(text)));
  if (q.get("paused")) list = list.filter((d) => String(d.is_paused) === q.get("paused"));
  if (q.get("is_favorite")) list = list.filter((d) => String(!!d.is_favorite) === q.get("is_favorite"));
  for (const tag of q.getAll("tag")) list = list.filter((d) => d.tags.includes(tag));
  if (q.get("state")) list = list.filter((d) => d.runs[0]?.state === q.get("state"));
  for (const owner of q.getAll("owner")) list = list.filter((d) => d.owner === owner);
  const first = (d) => (q.get("order_by") !== "attention" ? 0 : d.is_paused ? 3 : { failed: 0, running: 1, queued: 1 }[d.runs[0]?.state] ?? 2);
  list = list.sort((a, b) => first(a) - first(b) || a.id.localeCompare(b.id));
  const from = Number(q.get("offset") ?? 0);
  const page = list.slice(from, from + Number(q.get("limit") ?? 100));
  return { ...stamp(world), total_entries: list.length, tags: [...new Set(world.dags.flatMap((d) => d.tags))].sort(), owners: [...new Set(world.dags.map((d) => d.owner))].sort(), dags: page.map((d) => dag_row(world, d, n)) };
}

function mapped_counts(world, run) {
  return run.cells.flatMap((c, o) => (c.map ? [[o, ...world.counts(c)]] : []));
}

function cells(world, dag, q) {
  const n = Number(q.get("runs") ?? 25);
  const before = q.get("before");
  const all = dag.runs.filter((r) => before === null || r.key < Number(before));
  const runs = all.slice(0, n);
  return { ...stamp(world), hash: dag.shape.hash, more: all.length > n, runs: { ...bars(runs), logical: runs.map((r) => r.logical), version: runs.map((r) => r.version), note: runs.map((r) => r.note) },
    st: runs.map((r) => r.cells.map((c) => world.letter(c)).join("")), tries: runs.flatMap((r, i) => r.cells.flatMap((c, o) => (c.try > 1 ? [[i, o, c.try]] : []))), mapped: runs.flatMap((r, i) => mapped_counts(world, r).map((m) => [i, ...m])) };
}

function run_page(world, dag, run) {
  const i = dag.runs.indexOf(run);
  const column = (key) => run.cells.map((c) => c[key]);
  return { ...stamp(world), dag_id: dag.id, is_paused: dag.is_paused,
    run: { key: run.key, run_id: run.run_id, state: run.state, run_type: run.type, logical_date: run.logical, data_interval_start: run.logical, data_interval_end: run.logical, run_after: run.run_after, queued_at: run.queued_at, start: run.start, end: run.end, version: run.version, hash: dag.shape.hash, conf: run.conf, params: null, note: run.note, triggered_by: run.triggered_by, cause: run.type === "manual" ? "requested by a user" : "its schedule fired" },
    previous_good: dag.runs.slice(i + 1).find((r) => r.state === "success")?.run_id ?? null, older: dag.runs[i + 1]?.run_id ?? null, newer: dag.runs[i - 1]?.run_id ?? null,
    st: run.cells.map((c) => world.letter(c)).join(""), try: column("try"), queued: column("queued"), start: column("start"), end: column("end"), worker: column("worker"), mapped: mapped_counts(world, run),
    errors: run.cells.flatMap((c, o) => (c.st === "f" ? [[o, -1, c.try, c.error]] : [])) };
}

function mapped(world, dag, run, o, q) {
  const cell = run.cells[o];
  const map = cell.map ?? "";
  const all = [...map].map((c, i) => ({ map_index: i, label: `orders-${String(i).padStart(4, "0")}`, state: name_of(c), try: c === "." ? 0 : c === "f" ? 3 : 1, start: c === "." ? null : cell.start, end: "sf".includes(c) ? cell.end ?? world.now() : null, worker: c === "." ? null : `w-${1 + (i % 2)}`, error: c === "f" ? ["exit code 1: KeyError: 'id'", "exit code 2: timeout"][i % 2] : null }));
  const text = (q.get("q") ?? "").toLowerCase();
  const rows = all.filter((r) => (!q.get("state") || r.state === q.get("state")) && (!text || `${r.map_index} ${r.label} ${r.error ?? ""}`.toLowerCase().includes(text)));
  const from = Number(q.get("from") ?? 0);
  const errors = new Map();
  for (const { error } of all) if (error) errors.set(error, (errors.get(error) ?? 0) + 1);
  return { ...stamp(world), total: map.length, st: map, matches: rows.length, errors: [...errors].sort((a, b) => b[1] - a[1]).slice(0, 5), rows: rows.slice(from, from + Number(q.get("limit") ?? 100)) };
}

function task_page(world, dag, run, o, map) {
  const task = dag.tasks[o];
  const cell = run.cells[o];
  const st = map >= 0 && cell.map ? cell.map[map] : cell.st;
  const tries = cell.tries.map((t) => { const log = log_lines(task, t, world.now()); return { ...t, log_lines: log?.count ?? 0, log_bytes: (log?.count ?? 0) * 44 }; });
  const last = tries.at(-1);
  return { ...stamp(world), dag_id: dag.id, run_id: run.run_id, task_id: task.id, map_index: map, map_label: map >= 0 ? `orders-${String(map).padStart(4, "0")}` : null, is_mapped: map < 0 && task.mapped > 0, run_state: run.state, version: run.version, state: name_of(st), try: cell.try, max_tries: 3, operator: task.op, queue: task.queue, pool: task.pool, pool_slots: 1, priority_weight: 1, trigger_rule: task.rule,
    scheduled_at: cell.queued, queued_at: cell.queued, start: cell.start, end: "sfkux".includes(st) ? cell.end : null, worker: cell.worker, host: last?.host ?? null, pid: last?.pid ?? null, error: st === "f" ? cell.error ?? "exit code 1: KeyError: 'id'" : null, tries, history: cell.history,
    upstream: task.after, downstream: dag.tasks.filter((t) => t.after.includes(task.id)).map((t) => t.id), rendered: cell.start ? { command: `./${task.name}.sh 2026-11-21`, env: { REGION: "eu" } } : null, output: st === "s" ? { rows: 4096, bytes: 1048576, files: ["a.parquet", "b.parquet"] } : null, output_bytes: st === "s" ? 74 : 0 };
}

function why(world, q) {
  const dag = world.dag(q.get("dag_id"));
  const run = world.run(q.get("dag_id"), q.get("run_id"));
  if (!run) return null;
  const now = world.now();
  const reason = (code, sentence, more = {}) => ({ code, sentence, since: now - 12_000, until: null, object: null, advice: null, ...more });
  const o = dag.tasks.findIndex((t) => t.id === q.get("task_id"));
  if (o < 0) return { now, state: run.state, reasons: [reason(run.state, run.state === "running" ? `${run.cells.filter((c) => c.st === "r").length} tasks are running.` : "It has ended.")] };
  const cell = run.cells[o];
  const st = q.get("map_index") >= 0 && cell.map ? cell.map[q.get("map_index")] : cell.st;
  const open = dag.tasks[o].after.filter((a) => !"sfkux".includes(run.cells[dag.tasks.findIndex((t) => t.id === a)].st));
  const ref = (id) => ({ kind: "task", id, dag_id: dag.id, run_id: run.run_id, map_index: -1 });
  if (st === "." && open.length) return { now, state: "none", reasons: open.slice(0, 3).map((id) => reason("upstream", `Waiting for ${id} (${name_of(run.cells[dag.tasks.findIndex((t) => t.id === id)].st)}). ${dag.tasks[o].after.length - open.length} of ${dag.tasks[o].after.length} upstream tasks are done.`, { object: ref(id) })) };
  if (st === "o") return { now, state: "scheduled", reasons: [reason("worker_full", "All 2 workers of queue default are full (16 of 16). Position 3; about 40 s at the present rate.", { object: { kind: "queue", id: "default" }, advice: "Raise the maximum of the queue's autoscaling, or wait." })] };
  if (st === "y") return { now, state: "up_for_retry", reasons: [reason("retry", `Attempt ${cell.try} of 3 failed: ${cell.error}. Next try in a few seconds.`, { until: cell.end + 3000 })] };
  if (st === "u") return { now, state: "upstream_failed", reasons: [reason("upstream_rule", `Did not run: it needs all succeeded, and ${dag.tasks[o].after[0]} failed.`, { object: ref(dag.tasks[o].after[0]), advice: `Clear ${dag.tasks[o].after[0]} to run both again.` })] };
  return { now, state: name_of(st), reasons: [reason(name_of(st), cell.history.at(-1)?.sentence ?? "No rule blocks it; the scheduler looks at it next.")] };
}

function activity(world, q) {
  const hours = Number(q.get("hours") ?? 24);
  const from = world.now() - hours * HOUR;
  const step = (hours * HOUR) / 96;
  const [success, failed] = [Array(96).fill(0), Array(96).fill(0)];
  for (const r of world.dags.flatMap((d) => d.runs)) for (const c of r.end ? r.cells : []) if (c.end && c.end > from) (c.st === "f" ? failed : success)[Math.min(95, Math.floor((c.end - from) / step))]++;
  const ended = (state) => world.dags.flatMap((d) => d.runs).filter((r) => r.end > from && r.state === state).length;
  return { ...stamp(world), from, step_ms: step, runs: { success: ended("success"), failed: ended("failed") }, success, failed };
}

function lanes(world, q) {
  const from = world.now() - Number(q.get("hours") ?? 24) * HOUR;
  const all = world.dags.map((d) => {
    const runs = d.runs.filter((r) => r.start !== null && (r.end ?? Infinity) >= from);
    return { dag_id: d.id, next: next_run(world, d), open: runs.filter((r) => r.end === null).length, failed: runs.filter((r) => r.state === "failed").length,
      runs: { id: runs.map((r) => r.run_id), state: runs.map((r) => r.state[0]).join(""), start: runs.map((r) => r.start), end: runs.map((r) => r.end) } };
  }).filter((l) => l.runs.id.length);
  return { ...stamp(world), from, dags: all.length, lanes: all.sort((a, b) => Number(b.failed > 0) - Number(a.failed > 0) || b.open - a.open).slice(0, 24) };
}

function home(world, q) {
  const now = world.now();
  const hours = Number(q.get("hours") ?? 24);
  const from = now - hours * HOUR;
  const all = world.dags.flatMap((d) => d.runs.map((r) => ({ d, r }))).sort((a, b) => b.r.run_after - a.r.run_after);
  const ended = all.filter(({ r }) => r.end && r.end > from);
  const active = all.filter(({ r }) => !r.end);
  const tasks = { scheduled: 0, queued: 0, running: 0, up_for_retry: 0, up_for_reschedule: 0, deferred: 0 };
  for (const { r } of active) for (const c of r.cells) if (name_of(c.st) in tasks) tasks[name_of(c.st)]++;
  const done = (r) => r.cells.filter((c) => "sfkux".includes(c.st)).length;
  const bad = (r) => r.cells.filter((c) => c.st === "f").length;
  return { ...stamp(world), hours, dags: { total: world.dags.length, active: world.dags.filter((d) => !d.is_paused).length, paused: world.dags.filter((d) => d.is_paused).length, import_errors: IMPORT_ERRORS.length },
    runs: { queued: active.filter(({ r }) => r.state === "queued").length, running: active.filter(({ r }) => r.state === "running").length }, tasks,
    slots: { workers: world.workers.length, draining: world.workers.filter((w) => w.state === "draining").length, lost: 0, total: world.workers.reduce((n, w) => n + w.slots, 0), used: world.workers.reduce((n, w) => n + w.used, 0) },
    running: active.slice(0, 50).map(({ d, r }) => ({ dag_id: d.id, run_id: r.run_id, key: r.key, state: r.state, run_type: r.type, run_after: r.run_after, start: r.start, total: r.cells.length, done: done(r), failed: bad(r) })),
    failures: ended.filter(({ r }) => r.state === "failed").slice(0, 50).map(({ d, r }) => { const o = r.cells.findIndex((c) => c.st === "f"); return { dag_id: d.id, run_id: r.run_id, key: r.key, start: r.start, end: r.end, run_state: r.state, task_id: d.tasks[o]?.id ?? null, map_index: -1, try_number: r.cells[o]?.try ?? 0, failed: bad(r), error: r.cells[o]?.error ?? null }; }),
    next: world.dags.map((d) => ({ dag_id: d.id, at: next_run(world, d), schedule: d.schedule })).filter((n) => n.at).sort((a, b) => a.at - b.at).slice(0, 20) };
}

function queues(world) {
  return [...new Set(world.workers.flatMap((w) => w.queues))].map((queue) => { const ws = world.workers.filter((w) => w.queues.includes(queue)); return { queue, workers: ws.length, slots: ws.reduce((n, w) => n + w.slots, 0), used: ws.reduce((n, w) => n + w.used, 0) }; });
}

const LEVEL_WORDS = [["error", /Error:|Traceback|ERROR/], ["warning", /WARNING/], ["info", /INFO/], ["debug", /DEBUG/]];

function leveled(made, q) {
  const wanted = q.get("level").split(",");
  const limit = Number(q.get("limit") ?? 5000);
  const answer = { lines: [], counts: { plain: 0, debug: 0, info: 0, warning: 0, error: 0 }, before: q.get("before"), total_lines: made.count };
  let n = Number(q.get("from"));
  for (const end = Math.min(made.count, n + 50_000); n < end && answer.lines.length < limit; n++) {
    const text = made.line(n).slice(27);
    answer.before = LEVEL_WORDS.find(([, words]) => words.test(text))?.[0] ?? (text.startsWith(" ") ? answer.before : "plain");
    answer.counts[answer.before]++;
    if (wanted.includes(answer.before)) answer.lines.push([n, made.line(n)]);
  }
  return { ...answer, searched: n, more: n < made.count };
}

function log(world, ids, rest, q) {
  if (ids[4] === "newest") {
    const tries = world.run(ids[0], ids[1]).cells[world.dag(ids[0]).tasks.findIndex((t) => t.id === ids[2])].tries;
    return tries.length ? log(world, [...ids.slice(0, 4), tries.at(-1).try], rest, q) : { text: "", headers: { "Log-Try": 0 } };
  }
  const made = pages.log_of(world, ids);
  if (!made) return { status: 404, body: { detail: { reason: "no_log", message: "This try has not printed anything." } } };
  if (rest === "search") {
    const text = q.get("q").toLowerCase();
    const lines = [];
    let i = Number(q.get("from") ?? 0);
    for (const end = Math.min(made.count, i + 50_000); i < end && lines.length < Number(q.get("limit")); i++) if (made.line(i).slice(27).toLowerCase().includes(text)) lines.push(i);
    return { lines, searched: i, total_lines: made.count, more: i < made.count };
  }
  if (rest === "levels") return leveled(made, q);
  const tail = q.get("tail");
  const from = rest === "raw" ? 0 : tail ? Math.max(0, made.count - Number(tail)) : Number(q.get("from") ?? 0);
  const n = rest === "raw" ? made.count : tail ? Number(tail) : Number(q.get("lines") ?? 512);
  let text = "";
  for (let i = from; i < Math.min(made.count, from + n); i++) text += made.line(i) + "\n";
  return { text, headers: { "Log-Try": ids[4], "Log-First-Line": from, "Log-Lines": made.count, "Log-Bytes": made.count * 44, "Log-Complete": String(made.complete) } };
}

function calendar(dag, q) {
  const days = new Map();
  for (const r of dag.runs) {
    if (r.run_after < Number(q.get("from")) || r.run_after > Number(q.get("to"))) continue;
    const day = new Date(r.run_after).toISOString().slice(0, 10);
    const row = days.get(day) ?? [day, 0, 0, 0, 0];
    row[r.state === "success" ? 1 : r.state === "failed" ? 2 : 3]++;
    days.set(day, row);
  }
  return { days: [...days.values()].sort() };
}

function trends(dag, q) {
  const runs = dag.runs.slice(0, Number(q.get("runs") ?? 100)).reverse();
  const per = (f) => dag.tasks.map((_, o) => runs.map((r) => f(r.cells[o])));
  const { run_after, type, ...rest } = bars(runs);
  return { runs: { ...rest, version: runs.map((r) => r.version) }, tasks: { id: dag.tasks.map((t) => t.id), run_ms: per((c) => (c.start && c.end ? c.end - c.start : null)), wait_ms: per((c) => (c.start && c.queued ? c.start - c.queued : null)), tries: per((c) => c.try) } };
}

/* The memory of a task whose name ends in "load" grows run by run. */
function usage(world, dag, o, q) {
  const runs = dag.runs.slice(0, Number(q.get("runs") ?? 100)).filter((r) => r.cells[o].start).reverse();
  const ran = (r) => (r.cells[o].end ? r.cells[o].end - r.cells[o].start : null);
  const per = (f) => runs.map((r, i) => (ran(r) === null ? null : f(r, i)));
  const limit = /load$/.test(dag.tasks[o].id) ? 512e6 : null;
  return { ...stamp(world), run_id: runs.map((r) => r.run_id), start: runs.map((r) => r.start), version: runs.map((r) => r.version), tries: runs.map((r) => r.cells[o].try), failed: runs.map((r) => r.cells[o].st === "f"),
    ran_ms: per(ran), cpu_ms: per((r) => Math.round(ran(r) * 0.7)), memory_peak_bytes: per((r, i) => (limit ? Math.round(120e6 + (i * 300e6) / runs.length) : 52_428_800)), memory_max_bytes: runs.map(() => limit) };
}

function run_rows(world, q) {
  const rows = world.dags.flatMap((d) => d.runs.map((r) => ({ dag_id: d.id, run_id: r.run_id, key: r.key, state: r.state, run_type: r.type, run_after: r.run_after, start: r.start, end: r.end, version: r.version, triggered_by: r.triggered_by, note: r.note, total: r.cells.length, done: r.cells.filter((c) => "sfkux".includes(c.st)).length, failed: r.cells.filter((c) => c.st === "f").length })));
  return page(rows.sort((a, b) => b.run_after - a.run_after || b.key - a.key), q, "runs", world);
}

function task_rows(world, q) {
  const rows = world.dags.flatMap((d) => d.runs.slice(0, 20).flatMap((r) => r.cells.flatMap((c, o) => (c.try ? [{ dag_id: d.id, run_id: r.run_id, task_id: d.tasks[o].id, map_index: -1, state: name_of(c.st), try: c.try, queued_at: c.queued, start: c.start, end: c.end, worker: c.worker, queue: d.tasks[o].queue, pool: d.tasks[o].pool, operator: d.tasks[o].op, error: c.st === "f" ? c.error : null }] : []))));
  return page(rows.sort((a, b) => (b.start ?? 0) - (a.start ?? 0)), q, "tasks", world);
}

function page(rows, q, key, world) {
  const text = (q.get("q") ?? "").toLowerCase();
  const among = (name, fits) => { const wanted = (q.get(name) ?? "").split(",").filter(Boolean); return !wanted.length || wanted.some(fits); };
  const within = (name, n) => (!q.get(`${name}_min`) || n >= Number(q.get(`${name}_min`))) && (!q.get(`${name}_max`) || n <= Number(q.get(`${name}_max`)));
  const is = (r, field) => among(field, (wanted) => r[field] === wanted);
  const fit = rows.filter((r) => ["state", "run_type", "worker", "pool", "queue"].every((field) => is(r, field)) && among("dag_id", (id) => (id.endsWith("*") ? r.dag_id.startsWith(id.slice(0, -1)) : r.dag_id === id))
    && within("try", r.try) && within("duration", (r.end ?? world.now()) - r.start) && (!text || `${r.dag_id} ${r.run_id} ${r.task_id ?? ""} ${r.error ?? ""}`.toLowerCase().includes(text)));
  const from = Number(q.get("after") ?? 0);
  const limit = Number(q.get("limit") ?? 100);
  if (limit === 0) return { ...stamp(world), [key]: [], matches: fit.length, next: null };
  return { ...stamp(world), [key]: fit.slice(from, from + limit), next: from + limit < fit.length ? String(from + limit) : null };
}

/* The mock starts what is ready in a step: a few that wait are made up beside those. */
function waiting(world, q) {
  const made = world.dags.slice(0, 3).flatMap((d, n) => d.tasks.slice(0, 3).map((t, i) => ({ dag_id: d.id, run_id: d.runs[0].run_id, task_id: t.id, map_index: -1, queue: t.queue, pool: t.pool, pool_slots: 1, priority: 2 - n, weight: 9 - i, run_queued_at: world.now() - 90_000 * (n + 1), hold: n === 2 ? "run_limit" : t.pool === "default_pool" ? "worker" : "slots" })));
  const fit = made.filter((i) => (!q.get("queue") || i.queue === q.get("queue")) && (!q.get("pool") || i.pool === q.get("pool")));
  let position = 0;
  return { ...stamp(world), total: fit.length, items: fit.slice(0, Number(q.get("limit") ?? 50)).map((i) => ({ position: i.hold === "run_limit" ? null : ++position, ...i })) };
}

function search(world, q) {
  const text = (q.get("q") ?? "").toLowerCase();
  const items = world.dags.flatMap((d) => [{ kind: "dag", label: d.id, dag_id: d.id, run_id: null, id: d.id }, ...d.tasks.map((t) => ({ kind: "task", label: t.id, dag_id: d.id, run_id: d.runs[0]?.run_id ?? null, id: t.id }))]);
  const all = [...items, ...world.workers.map((w) => ({ kind: "worker", label: w.name, dag_id: null, run_id: null, id: w.name })), ...store.pools.map((p) => ({ kind: "pool", label: p.name, dag_id: null, run_id: null, id: p.name }))];
  return { items: all.filter((i) => i.label.toLowerCase().includes(text)).slice(0, 20) };
}

function notifications(world, q) {
  const run = world.dag("etl_daily").runs.find((r) => r.state === "failed") ?? world.dag("etl_daily").runs[0];
  const at = (ago) => new Date(world.now() - ago).toISOString();
  const one = (id, state, ago, more) => ({ notification_id: id, state, event: "on_failure", kind: "webhook", target: "https://hooks.example.org/...", dag_id: "etl_daily", dag_run_id: run.run_id, task_id: "load", map_index: -1, try_number: 3, tries: 1, made_at: at(ago), next_try_at: null, ended_at: at(ago - 500), error: null, ...more });
  const all = [one("n-3", "pending", 20_000, { ended_at: null, next_try_at: at(-30_000), tries: 2, error: "it answered 503" }), one("n-2", "failed", 90_000_000, { kind: "email", target: "data@example.org", task_id: null, tries: 40, error: "no mail server answers at mail.internal:25" }), one("n-1", "delivered", 91_000_000)];
  const fit = all.filter((n) => !q.get("state") || n.state === q.get("state"));
  return { notifications: fit.slice(0, Number(q.get("limit") ?? 100)), total_entries: fit.length };
}

function backfill_row(b) {
  return { id: b.id, from: Date.parse(b.from_date), to: Date.parse(b.to_date), is_paused: b.is_paused, is_backwards: b.run_backwards, reprocess: b.reprocess_behavior, max_active_runs: b.max_active_runs, triggered_by: "admin", created_at: Date.parse(b.created_at), ended_at: b.completed_at && Date.parse(b.completed_at), queued: 0, running: 2, success: 3, failed: 1, passed_over: 1 };
}

function ui(world, p, q) {
  if (p[0] === "home") return home(world, q);
  if (p[0] === "lanes") return lanes(world, q);
  if (p[0] === "activity") return activity(world, q);
  if (p[0] === "dags") return dags(world, q);
  if (p[0] === "runs") return run_rows(world, q);
  if (p[0] === "tasks") return task_rows(world, q);
  if (p[0] === "search") return search(world, q);
  const dag = world.dag(p[1]);
  if (!dag) return null;
  if (p[0] === "grid") return p[2] === "shape" ? dag.shape : cells(world, dag, q);
  if (p[0] === "calendar") return calendar(dag, q);
  if (p[0] === "trends") return trends(dag, q);
  if (p[0] === "usage") { const o = dag.tasks.findIndex((t) => t.id === p[2]); return o < 0 ? null : usage(world, dag, o, q); }
  if (p[0] === "backfills") return { ...stamp(world), backfills: store.backfills.filter((b) => b.dag_id === dag.id).map((b) => backfill_row(b)) };
  const run = world.run(p[1], p[2]);
  if (!run) return null;
  if (p[0] === "run") return run_page(world, dag, run);
  const o = dag.tasks.findIndex((t) => t.id === p[3]);
  if (o < 0) return null;
  if (p[0] === "mapped") return mapped(world, dag, run, o, q);
  if (p[0] === "task") return task_page(world, dag, run, o, Number(p[4]));
  if (p[0] === "log") return log(world, p.slice(1, 6), p[6], q);
  return null;
}

export const pages = {
  health: (world) => ({ metadatabase: { status: "healthy" }, scheduler: { status: "healthy", latest_scheduler_heartbeat: new Date(world.now() - 400).toISOString() }, triggerer: { status: null, latest_triggerer_heartbeat: null }, dag_processor: { status: "healthy", latest_dag_processor_heartbeat: new Date(world.now() - 1200).toISOString() } }),
  log_of(world, [dag_id, run_id, task_id, , attempt]) {
    const dag = world.dag(dag_id);
    const o = dag?.tasks.findIndex((t) => t.id === task_id) ?? -1;
    const t = world.run(dag_id, run_id)?.cells[o]?.tries.find((x) => x.try === Number(attempt));
    return t ? log_lines(dag.tasks[o], t, world.now()) : null;
  },
  get(world, parts, q) {
    if (parts[0] === "v2") return v2(world, parts.slice(1), q);
    const p = parts.slice(2);
    if (p[0] === "ui") return ui(world, p.slice(1), q);
    if (p[0] === "why") return why(world, q);
    if (p[0] === "waiting") return waiting(world, q);
    if (p[0] === "workers") return { ...stamp(world), workers: world.workers, queues: queues(world) };
    if (p[0] === "autoscaling") return { now: world.now(), queues: [world.scale] };
    if (p[0] === "import_errors") return { import_errors: IMPORT_ERRORS.map((e, i) => ({ ...e, at: world.now() - (i + 1) * 1_300_000 })) };
    if (p[0] === "notifications") return notifications(world, q);
    if (p[0] === "settings") return { settings: store.settings };
    return null;
  },
};
