// SPDX-License-Identifier: Apache-2.0
// A small world that moves: runs of the past, runs that go on, workers, and the stream of what changes.
import { DAGS, rand, shape_of } from "./data.mjs";

export const LETTERS = ".oqrsfkuycdxz";
export const NAMES = ["none", "scheduled", "queued", "running", "success", "failed", "skipped", "upstream_failed", "up_for_retry", "up_for_reschedule", "deferred", "removed", "restarting"];
export const name_of = (letter) => NAMES[LETTERS.indexOf(letter)] ?? "none";
const RUN = { queued: "q", running: "r", success: "s", failed: "f" };
export const run_letter = (state) => RUN[state];
const FINAL = "sfkux";
const WORST = "furqoyd.sk";
const T0 = Date.parse("2026-11-21T14:03:07Z");

const ERRORS = ["exit code 1: KeyError: 'id'", "exit code 2: psql: could not connect to server", "it ran longer than its execution_timeout (10 m)", "exit code 137: it used more memory than its limit (512 MiB)"];

export class World {
  /* Each `pace_ms` every run takes a step; `held` runs stand still while time and logs go on. */
  constructor({ still = false, pace_ms = 350 } = {}) {
    this.still = still;
    this.held = false;
    this.born = Date.now();
    this.random = rand(20261121);
    this.seq = 8000;
    this.key = 100;
    this.listeners = new Set();
    this.pending = { ti: new Map(), run: new Map(), dags: new Set(), workers: false };
    this.dags = DAGS.map((dag) => ({ ...dag, shape: shape_of(dag), is_paused: !!dag.paused, runs: [] }));
    this.workers = [this.worker("w-1", "node-3", ["default"], 8), this.worker("w-2", "node-7", ["default"], 8), this.worker("w-3", "node-9", ["default", "gpu"], 4, "draining")];
    this.events = [];
    for (const dag of this.dags) this.past(dag);
    for (const dag of this.dags) for (let i = 0; i < dag.live; i++) this.start_run(dag, "scheduled", 70);
    this.settle_workers();
    this.scale = this.scale_past();
    if (!still) {
      this.tick_timer = setInterval(() => this.tick(), pace_ms);
      this.flush_timer = setInterval(() => this.flush(), 100);
    }
  }

  close() { clearInterval(this.tick_timer); clearInterval(this.flush_timer); }
  now() { return T0 + (this.still ? 0 : Date.now() - this.born); }
  dag(id) { return this.dags.find((d) => d.id === id); }
  run(dag_id, run_id) { return this.dag(dag_id)?.runs.find((r) => r.run_id === run_id); }

  worker(name, host, queues, slots, state = "present") {
    const t = T0;
    return { name, host, queues, state, slots, used: 0, version: "0.1.0", started_at: t - 7.3 * 3600_000, heartbeat_at: t, cpu_percent: 20 + 50 * this.random(), memory_bytes: 2.1e9 + 3e9 * this.random(), memory_total_bytes: 8.3e9, provider: "process", drain_reason: state === "draining" ? "kernel update" : null, tasks: [] };
  }

  past(dag) {
    for (let i = dag.runs_past ?? dag.runs_count ?? DAGS.find((d) => d.id === dag.id).runs; i > 0; i--) {
      const at = Math.floor(T0 / dag.period_ms) * dag.period_ms - i * dag.period_ms + 21_600_000 % dag.period_ms;
      const run = this.new_run(dag, at, this.random() < 0.1 ? "manual" : "scheduled");
      const fails = this.random() < dag.fail ? Math.floor(this.random() * dag.tasks.length) : -1;
      this.play_out(dag, run, i === 1 && dag.failed_now ? dag.tasks.findIndex((t) => t.id === dag.failed_now) : fails);
    }
  }

  new_run(dag, at, type) {
    const n = dag.tasks.length;
    const run = { key: this.key++, run_id: `${type}__${new Date(at).toISOString().replace(".000Z", "+00:00").replace(/Z$/, "+00:00")}`, type, state: "queued", run_after: at, logical: type === "manual" ? null : at, queued_at: at, start: null, end: null, version: dag.version, note: null, conf: {}, triggered_by: type === "manual" ? "ada" : null,
      cells: Array.from({ length: n }, () => ({ st: ".", try: 0, queued: null, start: null, end: null, worker: null, error: null, map: null, tries: [], history: [] })) };
    dag.runs.unshift(run);
    return run;
  }

  play_out(dag, run, failing) {
    const t0 = run.run_after + 20;
    run.start = t0;
    let end = t0;
    const done = new Map();
    dag.tasks.forEach((task, o) => {
      const cell = run.cells[o];
      const ups = task.after.map((a) => done.get(a));
      const ready = Math.max(t0, ...ups.map((u) => u.end));
      let st = "s";
      if (ups.some((u) => u.st === "f" || u.st === "u") && !task.rule.startsWith("all_done") && !task.rule.startsWith("none_failed")) st = "u";
      else if (ups.length && ups.every((u) => u.st === "k")) st = "k";
      else if (task.id === "alert") st = "k";
      else if (o === failing) st = "f";
      const ran = task.op === "empty" ? 0 : dag.typical_ms * (0.25 + 0.9 * this.random()) / Math.sqrt(dag.tasks.length);
      if (st === "s" || st === "f") {
        cell.try = st === "f" ? 3 : this.random() < 0.04 ? 2 : 1;
        cell.queued = ready + 4;
        cell.start = ready + 12 + 60 * this.random();
        cell.end = Math.round(cell.start + ran * cell.try);
        cell.start = Math.round(cell.start);
        cell.worker = `w-${1 + Math.floor(2 * this.random())}`;
        cell.error = st === "f" ? ERRORS[Math.floor(this.random() * ERRORS.length)] : null;
      } else cell.end = ready + 1;
      cell.st = st;
      if (task.mapped && (st === "s" || st === "f")) cell.map = "s".repeat(task.mapped).split("").map((c, i) => (st === "f" && i % 17 === 3 ? "f" : c)).join("");
      cell.tries = this.tries_of(cell);
      cell.history = this.history_of(cell, ready);
      done.set(task.id, { st, end: cell.end });
      end = Math.max(end, cell.end);
    });
    run.end = end;
    run.state = run.cells.some((c) => c.st === "f") ? "failed" : "success";
  }

  tries_of(cell) {
    const tries = [];
    for (let n = 1; n <= cell.try; n++) {
      const last = n === cell.try;
      const span = (cell.end ?? this.now()) - cell.start;
      const start = Math.round(cell.start + (span * (n - 1)) / cell.try);
      const end = last ? cell.end : Math.round(cell.start + (span * n) / cell.try) - 2;
      const state = last ? name_of(cell.st) : "failed";
      const failed = state === "failed";
      tries.push({ try: n, attempt_id: `019a-${cell.start}-${n}`, state, queued_at: start - 8, start, end, worker: cell.worker, host: "node-3", pid: 4000 + (start % 900), exit_code: end === null ? null : failed ? 1 : 0, signal: null, error: failed ? cell.error ?? ERRORS[0] : null, log_lines: 0, log_bytes: 0, cpu_ms: end === null ? null : Math.round((end - start) * 0.7), memory_peak_bytes: end === null ? null : 52_428_800 });
    }
    return tries;
  }

  history_of(cell, ready) {
    const rows = [];
    const add = (at, from, to, cause, sentence, actor) => rows.push({ at: Math.round(at), from, to, try: cell.try, cause, sentence, actor });
    if (cell.st === "u") add(cell.end, "none", "upstream_failed", "rule_unmet", "its trigger rule can no longer be met", "scheduler");
    else if (cell.st === "k") add(cell.end, "none", "skipped", "not_chosen", "the branch took another way", "scheduler");
    else if (cell.st !== ".") {
      add(ready, "none", "scheduled", "upstreams_done", "its upstream tasks are done", "scheduler");
      if (cell.queued) add(cell.queued, "scheduled", "queued", "placed", "given to a worker", "scheduler");
      if (cell.start) add(cell.start, "queued", "running", "started", "its process started", cell.worker);
      if (cell.end) add(cell.end, "running", name_of(cell.st), cell.st === "f" ? "exit_failed" : "exit_ok", cell.st === "f" ? "its process failed" : "its process ended well", cell.worker);
    }
    return rows;
  }

  start_run(dag, type, warm = 0, conf = {}, run_id = null, note = null) {
    const run = this.new_run(dag, this.now() - warm * 350, type);
    if (run_id) run.run_id = run_id;
    run.conf = conf;
    run.note = note;
    run.state = "running";
    run.start = run.run_after + 12;
    this.change_run(dag, run);
    for (let i = 0; i < warm; i++) this.advance(dag, run, run.start + i * 350);
    return run;
  }

  change_run(dag, run) { this.pending.run.set(run.key, [dag.id, run.run_id, run.key, run.state, run.type, run.run_after, run.start, run.end]); }
  change_ti(dag, run, o, map = -1) {
    const cell = run.cells[o];
    this.pending.ti.set(`${run.key}/${o}/${map}`, [dag.id, run.run_id, dag.tasks[o].id, map, map >= 0 ? name_of(cell.map[map]) : name_of(cell.st), cell.try, cell.start, cell.end, cell.worker]);
  }

  set(dag, run, o, st, at, cause, sentence) {
    const cell = run.cells[o];
    cell.history.push({ at, from: name_of(cell.st), to: name_of(st), try: cell.try, cause, sentence, actor: "scheduler" });
    cell.st = st;
    this.change_ti(dag, run, o);
  }

  advance(dag, run, at) {
    const index = new Map(dag.tasks.map((t, i) => [t.id, i]));
    let busy = false;
    dag.tasks.forEach((task, o) => {
      const cell = run.cells[o];
      if (FINAL.includes(cell.st)) return;
      busy = true;
      const ups = task.after.map((a) => run.cells[index.get(a)].st);
      if (cell.st === ".") {
        if (ups.some((u) => !FINAL.includes(u))) return;
        if (ups.some((u) => "fu".includes(u)) && !/all_done|none_failed/.test(task.rule)) return void (cell.end = at, this.set(dag, run, o, "u", at, "rule_unmet", "its trigger rule can no longer be met"));
        if (task.id === "alert" || (ups.length && ups.every((u) => u === "k"))) return void (cell.end = at, this.set(dag, run, o, "k", at, "not_chosen", "the branch took another way"));
        return this.set(dag, run, o, "o", at, "upstreams_done", "its upstream tasks are done");
      }
      if (cell.st === "y") return at > cell.end + 3000 ? this.set(dag, run, o, "o", at, "delay_over", "the wait before the retry is over") : undefined;
      if (cell.st === "o") { if (this.random() < 0.5) return; cell.queued = at; cell.try++; return this.set(dag, run, o, "q", at, "placed", "given to a worker"); }
      if (cell.st === "q") {
        if (this.random() < 0.3) return;
        cell.start = at; cell.end = null; cell.worker = `w-${1 + Math.floor(2 * this.random())}`;
        cell.deadline = at + dag.typical_ms * (0.2 + 0.6 * this.random()) / Math.sqrt(dag.tasks.length) + 1500;
        cell.tries.push({ try: cell.try, attempt_id: `019a-${run.key}-${o}-${cell.try}`, state: "running", queued_at: cell.queued, start: at, end: null, worker: cell.worker, host: "node-3", pid: 4127, exit_code: null, signal: null, error: null, log_lines: 0, log_bytes: 0, cpu_ms: null, memory_peak_bytes: null });
        if (task.mapped) cell.map = ".".repeat(task.mapped);
        return this.set(dag, run, o, "r", at, "started", "its process started");
      }
      if (cell.st === "r") {
        if (task.mapped) this.advance_map(dag, run, o);
        if (at < cell.deadline || (cell.map && /[.qr]/.test(cell.map))) return;
        cell.end = at;
        const t = cell.tries[cell.tries.length - 1];
        const fails = !task.mapped && this.random() < 0.06;
        Object.assign(t, { state: fails ? "failed" : "success", end: at, exit_code: fails ? 1 : 0, cpu_ms: Math.round((at - cell.start) * 0.6), memory_peak_bytes: 61_000_000, error: fails ? ERRORS[0] : null });
        if (!fails) return this.set(dag, run, o, "s", at, "exit_ok", "its process ended well");
        cell.error = ERRORS[0];
        this.set(dag, run, o, cell.try < 3 ? "y" : "f", at, "exit_failed", "its process failed");
      }
    });
    if (busy || run.end) return;
    run.end = at;
    run.state = run.cells.some((c) => c.st === "f") ? "failed" : "success";
    this.change_run(dag, run);
  }

  advance_map(dag, run, o) {
    const cell = run.cells[o];
    const step = Math.max(1, Math.ceil(cell.map.length / 24));
    let moved = 0;
    const letters = [...cell.map];
    for (let i = 0; i < letters.length && moved < step * 2; i++) {
      if (letters[i] === "r") { letters[i] = this.random() < 0.01 ? "f" : "s"; moved++; }
      else if (letters[i] === "." && moved < step) { letters[i] = "r"; moved++; }
      else continue;
      cell.map = letters.join("");
      this.change_ti(dag, run, o, i);
    }
    cell.map = letters.join("");
  }

  tick() {
    if (this.held) return;
    const now = this.now();
    for (const dag of this.dags) {
      const active = dag.runs.filter((r) => r.state === "running" || r.state === "queued");
      for (const run of active) this.advance(dag, run, now);
      if (!dag.is_paused && active.length < dag.live && this.random() < 0.08) this.start_run(dag, "scheduled");
    }
    this.settle_workers();
    for (const w of this.workers) { w.heartbeat_at = now; w.cpu_percent = Math.min(99, Math.max(2, w.cpu_percent + (this.random() - 0.5) * 8)); }
    if (this.random() < 0.25) this.pending.workers = true;
  }

  settle_workers() {
    for (const w of this.workers) w.tasks = [];
    for (const dag of this.dags) for (const run of dag.runs) if (run.state === "running") run.cells.forEach((c, o) => {
      if (c.st === "r") this.workers.find((w) => w.name === c.worker)?.tasks.push({ dag_id: dag.id, run_id: run.run_id, task_id: dag.tasks[o].id, map_index: -1, try: c.try, start: c.start });
    });
    for (const w of this.workers) w.used = Math.min(w.slots, w.tasks.length);
  }

  flush() {
    const now = this.now();
    const p = this.pending;
    this.pending = { ti: new Map(), run: new Map(), dags: new Set(), workers: false };
    if (p.ti.size) this.emit("ti", { c: [...p.ti.values()], now });
    if (p.run.size) this.emit("run", { c: [...p.run.values()], now });
    if (p.dags.size) this.emit("dag", { dags: [...p.dags], now });
    if (p.workers) this.emit("workers", { now });
  }

  emit(name, data) {
    const seq = ++this.seq;
    const event = { seq, name, data: { seq, ...data } };
    this.events.push(event);
    if (this.events.length > 2000) this.events.shift();
    for (const listener of this.listeners) listener(event);
  }

  counts(cell) {
    const n = { w: 0, a: 0, g: 0, b: 0 };
    for (const c of cell.map) n[".oycd".includes(c) ? "w" : "qrz".includes(c) ? "a" : "skx".includes(c) ? "g" : "b"]++;
    return [cell.map.length, n.w, n.a, n.g, n.b];
  }

  letter(cell) {
    if (!cell.map) return cell.st;
    for (const c of WORST) if (cell.map.includes(c)) return c;
    return cell.st;
  }

  scale_past() {
    const from = T0 - 6 * 3600_000;
    const q = { at: [], demands: [], wanteds: [], presents: [], events: [] };
    let present = 1;
    for (let i = 0; i < 144; i++) {
      const at = from + i * 150_000;
      const demand = Math.max(0, Math.round(9 + 8 * Math.sin(i / 9) + 6 * Math.sin(i / 3.7) + 4 * this.random()));
      const wanted = Math.min(4, Math.max(1, Math.ceil(demand / 8)));
      if (wanted > present) { q.events.unshift({ at, from: present, to: present + 1, kind: "out", reason: `${demand} tasks want slots, ${present * 8} slots are there` }); present++; }
      else if (wanted < present && i % 5 === 0) { q.events.unshift({ at, from: present, to: present - 1, kind: "in", reason: `quiet for 60 s: ${demand} tasks need ${wanted} workers; w-${present + 1} is the emptiest` }); present--; }
      q.at.push(at); q.demands.push(demand); q.wanteds.push(wanted); q.presents.push(present);
    }
    return { queue: "default", provider: "process", min: 1, max: 4, slots: 8, quiet_ms: 60_000, demand: q.demands.at(-1), wanted: q.wanteds.at(-1), present, draining: 1, healthy: true, error: null, ...q };
  }
}
