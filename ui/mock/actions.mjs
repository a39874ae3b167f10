// SPDX-License-Identifier: Apache-2.0
// What the mock does on POST, PUT, PATCH and DELETE.
import { name_of } from "./world.mjs";
import { store } from "./v2.mjs";

const OK = (body, status = 200) => ({ status, body });

function audit(world, event, dag_id, run_id = null, task_id = null, extra = {}) {
  store.events.unshift({ event_log_id: 100 + store.events.length, when: new Date(world.now()).toISOString(), dag_id, run_id, task_id, map_index: null, event, owner: "admin", extra: JSON.stringify(extra) });
}

function ti(dag, run, o) {
  return { task_id: dag.tasks[o].id, dag_id: dag.id, dag_run_id: run.run_id, map_index: -1, state: run.cells[o].st === "." ? null : name_of(run.cells[o].st), try_number: run.cells[o].try };
}

function spread(dag, start, key) {
  const found = new Set(start);
  const index = new Map(dag.tasks.map((t, i) => [t.id, i]));
  for (let changed = true; changed; ) {
    changed = false;
    dag.tasks.forEach((t, i) => {
      for (const a of t.after) {
        const [from, to] = key === "down" ? [index.get(a), i] : [i, index.get(a)];
        if (found.has(from) && !found.has(to)) { found.add(to); changed = true; }
      }
    });
  }
  return found;
}

function clear(world, dag, body) {
  const run = world.run(dag.id, body.dag_run_id);
  if (!run) return OK({ detail: "No such run." }, 404);
  const ids = body.task_ids?.map((t) => (Array.isArray(t) ? t[0] : t));
  let set = new Set(dag.tasks.map((t, i) => i).filter((i) => !ids || ids.includes(dag.tasks[i].id)));
  const base = [...set];
  if (body.include_downstream) set = spread(dag, set, "down");
  if (body.include_upstream) set = new Set([...set, ...spread(dag, base, "up")]);
  const hit = [...set].filter((o) => (body.only_failed ?? true ? "fu".includes(run.cells[o].st) : run.cells[o].st !== "."));
  const listed = hit.map((o) => ti(dag, run, o));
  if (body.dry_run === false) {
    for (const o of hit) {
      Object.assign(run.cells[o], { st: ".", end: null, start: null, queued: null, error: null, map: null });
      world.change_ti(dag, run, o);
    }
    if (hit.length) { run.state = "running"; run.end = null; world.change_run(dag, run); }
    audit(world, "clear_tasks", dag.id, run.run_id, null, { count: hit.length });
  }
  return OK({ task_instances: listed, total_entries: listed.length });
}

function mark(world, dag, run, task_id, body, dry) {
  const o = dag.tasks.findIndex((t) => t.id === task_id);
  if (o < 0) return null;
  if (!dry) {
    world.set(dag, run, o, body.new_state[0] === "s" ? (body.new_state === "skipped" ? "k" : "s") : "f", world.now(), "marked", "set by a user");
    run.cells[o].end ??= world.now();
    audit(world, "mark_task", dag.id, run.run_id, task_id, body);
  }
  return OK({ task_instances: [ti(dag, run, o)], total_entries: 1 });
}

function v2(world, method, p, body) {
  const [kind, id] = p;
  const keys = { pools: "name", variables: "key", connections: "connection_id" };
  if (keys[kind]) {
    const list = store[kind];
    const at = list.findIndex((x) => x[keys[kind]] === id);
    audit(world, `${method.toLowerCase()}_${kind}`, null, null, null, { id: id ?? body[keys[kind]] });
    if (method === "POST") {
      if (list.some((x) => x[keys[kind]] === body[keys[kind]])) return OK({ detail: `${body[keys[kind]]} exists already.` }, 409);
      list.push({ ...(kind === "pools" ? { include_deferred: false, occupied_slots: 0, running_slots: 0, queued_slots: 0, scheduled_slots: 0, deferred_slots: 0, open_slots: body.slots } : { is_encrypted: true }), ...body });
      return OK(body, 201);
    }
    if (at < 0) return OK({ detail: "It is gone." }, 404);
    if (method === "DELETE") { list.splice(at, 1); return OK(undefined, 204); }
    Object.assign(list[at], body);
    return OK(list[at]);
  }
  if (kind === "backfills") {
    if (method === "POST" && id === "dry_run") {
      // Daily, and named a hundred at most, as the server does.
      const days = Math.max(1, Math.round((Date.parse(body.to_date) - Date.parse(body.from_date)) / 86_400_000));
      return OK({ backfills: Array.from({ length: Math.min(100, days) }, (_, i) => ({ logical_date: new Date(Date.parse(body.from_date) + i * 86_400_000).toISOString() })), total_entries: days });
    }
    if (method === "POST") { const b = { id: store.backfills.length + 1, ...body, is_paused: false, created_at: new Date(world.now()).toISOString(), completed_at: null }; store.backfills.unshift(b); return OK(b); }
    const b = store.backfills.find((x) => x.id === Number(id));
    if (!b) return OK({ detail: "No such backfill." }, 404);
    if (p[2] === "cancel") b.completed_at = new Date(world.now()).toISOString();
    else b.is_paused = p[2] === "pause";
    return OK(b);
  }
  const dag = world.dag(id);
  if (kind !== "dags" || !dag) return OK({ detail: `There is no DAG ${id}.` }, 404);
  if (p.length === 2 && method === "PATCH") {
    dag.is_paused = body.is_paused;
    world.pending.dags.add(dag.id);
    audit(world, body.is_paused ? "pause_dag" : "unpause_dag", dag.id);
    return OK({ dag_id: dag.id, is_paused: dag.is_paused });
  }
  if (p[2] === "favorite" || p[2] === "unfavorite") {
    dag.is_favorite = p[2] === "favorite";
    return { status: 204 };
  }
  if (p[2] === "clearTaskInstances") return clear(world, dag, body);
  if (p[2] !== "dagRuns") return null;
  if (p.length === 3) {
    const limit = dag.params?.limit && body.conf?.limit;
    if (limit !== undefined && limit > 100000) return OK({ detail: [{ loc: ["body", "conf", "limit"], msg: "must be at most 100000", type: "maximum" }] }, 422);
    const run = world.start_run(dag, "manual", 0, body.conf ?? {}, body.dag_run_id ?? null, body.note ?? null);
    run.triggered_by = "admin";
    audit(world, "trigger_dag_run", dag.id, run.run_id, null, body);
    return OK({ dag_id: dag.id, dag_run_id: run.run_id, state: run.state });
  }
  const run = world.run(dag.id, p[3]);
  if (!run) return OK({ detail: "No such run." }, 404);
  if (p[4] === "clear") return clear(world, dag, { ...body, dag_run_id: run.run_id });
  if (p[4] === "taskInstances") return mark(world, dag, run, p[5], body, p.at(-1) === "dry_run");
  if (method === "DELETE") { dag.runs.splice(dag.runs.indexOf(run), 1); world.pending.run.set(run.key, [dag.id, run.run_id, run.key, "deleted", run.type, run.run_after, run.start, run.end]); return OK(undefined, 204); }
  if (body.note !== undefined) run.note = body.note;
  if (body.state) { run.state = body.state; run.end = body.state === "queued" ? null : world.now(); }
  world.change_run(dag, run);
  return OK({ dag_id: dag.id, dag_run_id: run.run_id, state: run.state, note: run.note });
}

export function actions(world, method, parts, body, query) {
  if (body === null) return OK({ detail: "The body is not JSON." }, 400);
  if (parts[0] === "v2") return v2(world, method, parts.slice(1), body, query);
  const [kind, name, verb] = parts.slice(2);
  const worker = world.workers.find((w) => w.name === name);
  if (kind !== "workers" || !worker) return null;
  worker.state = verb === "drain" ? "draining" : "present";
  worker.drain_reason = verb === "drain" ? body.reason ?? null : null;
  world.pending.workers = true;
  audit(world, `${verb}_worker`, null, null, null, { worker: name });
  return OK(undefined, 202);
}
