// SPDX-License-Identifier: Apache-2.0
// The DAGs of the mock server. Nothing here is random but through rand(), so that every start shows the same.

export function rand(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// "id op after,after" one a line; a leading "group " opens a group until "end"; op* is mapped.
function tasks_of(text) {
  const tasks = [];
  const groups = [];
  let group = -1;
  for (const line of text.trim().split("\n").map((l) => l.trim())) {
    if (line.startsWith("group ")) { groups.push({ id: line.slice(6), parent: -1 }); group = groups.length - 1; continue; }
    if (line === "end") { group = -1; continue; }
    const [name, op, after = "", extra = ""] = line.split(/\s+/);
    const id = group >= 0 ? `${groups[group].id}.${name}` : name;
    tasks.push({ id, name, op: op.replace("*", ""), mapped: op.endsWith("*") ? Number(extra) || 12 : 0, after: after.split(",").filter((a) => a && a !== "-"), group, rule: extra && isNaN(extra) ? extra : "all_success", pool: op === "sql" ? "warehouse" : "default_pool", queue: op === "gpu" ? "gpu" : "default" });
  }
  return { tasks, groups };
}

const ETL = `
arrived wait_for
group extract
orders bash arrived
customers bash arrived
payments http arrived
shipments bash arrived
end
group transform
clean python extract.orders,extract.customers
join sql transform.clean,extract.payments
dedupe sql extract.shipments
end
quality sql transform.join,transform.dedupe
load sql quality
verdict branch load
publish bash verdict
alert notify verdict
report bash publish,alert none_failed_min_one_success
`;

const FEEDBACK = `
arrived wait_for
list_files bash arrived
validate python* list_files 48
load sql validate
check sql load
verdict branch check
publish bash verdict
alert notify verdict
`;

const TRAINING = `
snapshot sql
features python snapshot
group folds
fold_a python features
fold_b python features
fold_c python features
fold_d python features
end
evaluate python folds.fold_a,folds.fold_b,folds.fold_c,folds.fold_d
approve short_circuit evaluate
deploy bash approve
notify_team notify deploy
`;

const SYNC = `
fetch http
diff python fetch
apply sql diff
`;

const BILLING = `
lock_period sql
usage python* lock_period 1000
rate python usage
invoices python* rate 400
render exec invoices
send http render
unlock sql send all_done
`;

const HEALTH = `
ping_api http
ping_db sql
ping_queue bash
summary bash ping_api,ping_db,ping_queue all_done
`;

function big() {
  const lines = ["start empty"];
  for (let g = 0; g < 40; g++) {
    lines.push(`group region_${String(g).padStart(2, "0")}`, "open empty start");
    for (let t = 0; t < 48; t++) lines.push(`shard_${String(t).padStart(2, "0")} bash region_${String(g).padStart(2, "0")}.open`);
    lines.push(`close empty ${Array.from({ length: 48 }, (_, t) => `region_${String(g).padStart(2, "0")}.shard_${String(t).padStart(2, "0")}`).join(",")}`, "end");
  }
  lines.push(`finish empty ${Array.from({ length: 40 }, (_, g) => `region_${String(g).padStart(2, "0")}.close`).join(",")}`);
  return lines.join("\n");
}

const H = 3600_000;

// period_ms: how far apart the runs of the past are; live: how many runs the simulation keeps going; fail: share of runs that fail.
export const DAGS = [
  { id: "etl_daily", text: ETL, description: "Orders, customers and payments into the warehouse", tags: ["finance", "core"], owner: "data", schedule: "0 6 * * *", timezone: "Europe/Berlin", period_ms: 24 * H, live: 1, fail: 0.12, typical_ms: 38_000, runs: 40, version: 7, failed_now: "load" },
  { id: "feedback_daily", text: FEEDBACK, description: "Validates and loads what customers wrote", tags: ["demo", "support"], owner: "support-data", schedule: "0 2 * * *", timezone: "Europe/Lisbon", period_ms: 24 * H, live: 1, fail: 0.08, typical_ms: 14_000, runs: 30, version: 3,
    params: { region: { value: "eu", description: "Which region to load", schema: { type: "string", enum: ["eu", "us", "apac"] } }, limit: { value: 1000, description: "Rows at most", schema: { type: "integer", minimum: 1, maximum: 100000 } }, full_reload: { value: false, description: null, schema: { type: "boolean", title: "Full reload" } }, since: { value: null, description: "Only what is newer", schema: { type: ["string", "null"], format: "date" } }, labels: { value: ["a", "b"], schema: { type: "array", items: { type: "string" } } } } },
  { id: "inventory_sync", text: SYNC, description: "Stock levels from the shops", tags: ["shops"], owner: "retail", schedule: "*/10 * * * *", timezone: "UTC", period_ms: H / 6, live: 1, fail: 0.03, typical_ms: 4000, runs: 60, version: 12 },
  { id: "model_training", text: TRAINING, description: "Retrains the ranking model and asks before it goes live", tags: ["ml"], owner: "ranking", schedule: "30 4 * * 1", timezone: "UTC", period_ms: 7 * 24 * H, live: 1, fail: 0.2, typical_ms: 90_000, runs: 18, version: 21 },
  { id: "billing_close", text: BILLING, description: "Closes the month: usage, rates, invoices", tags: ["finance"], owner: "billing", schedule: "0 1 1 * *", timezone: "America/New_York", period_ms: 30 * 24 * H, live: 0, fail: 0.1, typical_ms: 60_000, runs: 12, version: 4 },
  { id: "platform_health", text: HEALTH, description: "Asks every part how it is", tags: ["ops"], owner: "platform", schedule: "@hourly", timezone: "UTC", period_ms: H, live: 0, fail: 0.02, typical_ms: 900, runs: 50, version: 2 },
  { id: "shard_rebuild", text: big(), description: "Rebuilds every shard of every region (2 002 tasks)", tags: ["ops", "large"], owner: "platform", schedule: null, timezone: "UTC", period_ms: 72 * H, live: 0, fail: 0.3, typical_ms: 9000, runs: 25, version: 1 },
  { id: "cleanup_exports", text: "list bash\ndelete bash* list 6\n", description: "Removes exports older than 30 days", tags: ["ops"], owner: "platform", schedule: "15 3 * * *", timezone: "UTC", period_ms: 24 * H, live: 0, fail: 0, typical_ms: 2000, runs: 20, version: 1, paused: true },
  { id: "partner_feed", text: SYNC, description: "Feed of a partner that is not live yet", tags: ["shops"], owner: "retail", schedule: "0 */4 * * *", timezone: "UTC", period_ms: 4 * H, live: 0, fail: 0, typical_ms: 2000, runs: 0, version: 1, paused: true },
  { id: "retired_export", text: "export bash\n", description: "Its file was deleted", tags: ["shops"], owner: "retail", schedule: null, timezone: "UTC", period_ms: 24 * H, live: 0, fail: 0, typical_ms: 2000, runs: 3, version: 2, is_stale: true },
].map((dag) => ({ ...dag, ...tasks_of(dag.text) }));

export function shape_of(dag) {
  const n = dag.tasks.length;
  const index = new Map(dag.tasks.map((t, i) => [t.id, i]));
  const edges = dag.tasks.flatMap((t, to) => t.after.map((from) => [index.get(from), to]));
  const all = [...dag.tasks.map((t) => ({ ...t, kind: t.mapped ? 2 : 0, parent: t.group < 0 ? -1 : n + t.group })), ...dag.groups.map((g) => ({ id: g.id, name: g.id, kind: 1, parent: g.parent < 0 ? -1 : n + g.parent, op: "", rule: "", queue: "", pool: "" }))];
  const column = (key) => all.map((row) => row[key]);
  return { dag_id: dag.id, version: dag.version, hash: `h${dag.id}${dag.version}`, versions: dag.version, id: column("id"), name: column("name"), kind: column("kind"), parent: column("parent"), op: column("op"), rule: column("rule"), queue: column("queue"), pool: column("pool"), doc: all.map(() => null), from: edges.map((e) => e[0]), to: edges.map((e) => e[1]) };
}

export const IMPORT_ERRORS = [
  { import_error_id: 3, file: "finance/refunds.yaml", line: 12, column: 5, message: "unknown key 'retrys' in task 'load'", advice: "Did you mean 'retries'?", excerpt: "  10 |   load:\n  11 |     depends_on: [extract]\n> 12 |     retrys: 3\n     |     ^^^^^^\n  13 |     sql: {connection: warehouse, file: refunds.sql}", dag_ids: ["refunds"], last_good_version: 4 },
  { import_error_id: 4, file: "shops/prices.yaml", line: 31, column: 18, message: "the tasks form a cycle: fetch -> merge -> check -> fetch", advice: "Remove one of these edges.", excerpt: "> 31 |     depends_on: [check]\n     |                  ^^^^^", dag_ids: ["prices"], last_good_version: null },
];
