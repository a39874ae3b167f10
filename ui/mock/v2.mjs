// SPDX-License-Identifier: Apache-2.0
// The part of Airflow's API v2 that the UI asks for, and the things that can be edited.

export const store = {
  pools: [
    { name: "default_pool", slots: 128, description: "Default pool", include_deferred: false, occupied_slots: 17, running_slots: 13, queued_slots: 2, scheduled_slots: 2, open_slots: 111, deferred_slots: 0 },
    { name: "warehouse", slots: 8, description: "Connections of the warehouse", include_deferred: true, occupied_slots: 8, running_slots: 7, queued_slots: 1, scheduled_slots: 3, open_slots: 0, deferred_slots: 0 },
    { name: "partner_api", slots: 2, description: null, include_deferred: false, occupied_slots: 0, running_slots: 0, queued_slots: 0, scheduled_slots: 0, open_slots: 2, deferred_slots: 0 },
  ],
  variables: [
    { key: "region", value: "eu", description: "Where we run", is_encrypted: true },
    { key: "api_token", value: "***", description: "Token of the partner", is_encrypted: true },
    { key: "retention_days", value: "30", description: null, is_encrypted: true },
  ],
  connections: [
    { connection_id: "warehouse", conn_type: "postgres", host: "db.internal", schema: "warehouse", login: "etl", port: 5432, password: null, extra: "{}", description: "The warehouse" },
    { connection_id: "partner", conn_type: "http", host: "api.partner.example", schema: "https", login: null, port: 443, password: null, extra: "{}", description: null },
  ],
  settings: [
    { section: "core", key: "parallelism", value: "64", default: "128", origin: "/etc/headrace.cfg:12", help: "Task instances that may run at the same time, over all DAGs.", restart: false, secret: false },
    { section: "core", key: "dags_folder", value: "/srv/dags", default: "$HEADRACE_HOME/dags", origin: "environment", help: "Where DAG files are.", restart: true, secret: false },
    { section: "core", key: "default_timezone", value: "UTC", default: "UTC", origin: "default", help: "Zone of what names none.", restart: false, secret: false },
    { section: "database", key: "conn", value: "***", default: "", origin: "/etc/headrace.cfg:3", help: "libpq connection string.", restart: true, secret: true },
    { section: "autoscale.default", key: "max", value: "4", default: "1", origin: "environment", help: "Workers at most.", restart: false, secret: false },
  ],
  events: [],
  backfills: [{ id: 7, dag_id: "inventory_sync", from_date: "2026-10-01T00:00:00Z", to_date: "2026-10-07T23:59:59Z", is_paused: false, run_backwards: false, reprocess_behavior: "failed", max_active_runs: 2, created_at: "2026-11-21T06:00:00Z", completed_at: null }],
};

const iso = (ms) => (ms === null || ms === undefined ? null : new Date(ms).toISOString());

const YAML = (dag) => `dag_id: ${dag.id}
schedule: ${dag.schedule ? `"${dag.schedule}"` : "null"}
timezone: ${dag.timezone}
description: ${dag.description}
owner: ${dag.owner}
tags: [${dag.tags.join(", ")}]
defaults: {retries: 2, retry_delay: 10s}
tasks:
${dag.tasks.slice(0, 60).map((t) => `  ${t.id.replace(/\./g, "_")}:\n${t.after.length ? `    depends_on: [${t.after.slice(0, 6).join(", ")}]\n` : ""}    ${t.op === "bash" ? `bash: ./${t.name}.sh "{{ ds }}"` : `${t.op}: {}`}`).join("\n")}
`;

export function v2(world, p, q) {
  if (p[0] === "version") return { version: "0.1.0", git_version: null };
  if (p[0] === "pools") return { pools: store.pools, total_entries: store.pools.length };
  if (p[0] === "variables") return { variables: store.variables, total_entries: store.variables.length };
  if (p[0] === "connections") return { connections: store.connections, total_entries: store.connections.length };
  if (p[0] === "backfills") return { backfills: store.backfills.filter((b) => !q.get("dag_id") || b.dag_id === q.get("dag_id")), total_entries: store.backfills.length };
  if (p[0] === "assets" && p[1] === "events") return { asset_events: [{ id: 2, asset_id: 1, name: "orders_clean", timestamp: iso(world.now() - 600_000), source_dag_id: "etl_daily", source_run_id: world.dag("etl_daily").runs[1].run_id, source_task_id: "load", source_map_index: -1, created_dagruns: [{ dag_id: "model_training", run_id: world.dag("model_training").runs[0].run_id }] }, { id: 1, asset_id: 1, name: "orders_clean", timestamp: iso(world.now() - 4_600_000), source_dag_id: null, source_run_id: null, source_task_id: null, source_map_index: -1, created_dagruns: [] }], total_entries: 2 };
  if (p[0] === "assets") return { assets: [{ id: 1, name: "orders_clean", scheduled_dags: [{ dag_id: "model_training" }], producing_tasks: [{ dag_id: "etl_daily", task_id: "load" }], consuming_tasks: [], last_asset_event: { id: 2, timestamp: iso(world.now() - 600_000) } }], total_entries: 1 };
  if (p[0] === "eventLogs") {
    const rows = [...store.events, ...world.dags.slice(0, 6).map((d, i) => ({ event_log_id: i + 1, when: iso(world.now() - (i + 1) * 3_700_000), dag_id: d.id, run_id: d.runs[0]?.run_id ?? null, task_id: null, map_index: null, event: ["trigger_dag_run", "clear_task", "patch_dag"][i % 3], owner: i % 2 ? "ada" : "admin", extra: "{\"from\": \"failed\"}" }))];
    return { event_logs: rows.filter((r) => !q.get("dag_id") || r.dag_id === q.get("dag_id")), total_entries: rows.length };
  }
  const dag = world.dag(p[1]);
  if (!dag) return null;
  if (p[0] === "dagSources") return { dag_id: dag.id, dag_display_name: dag.id, version_number: Number(q.get("version_number") ?? dag.version), content: YAML(dag) + (Number(q.get("version_number") ?? dag.version) < dag.version ? "" : "  # retries raised after the outage of the warehouse\n") };
  if (p[0] !== "dags") return null;
  if (p[2] === "details") return { dag_id: dag.id, dag_display_name: dag.id, description: dag.description, doc_md: dag.id === "etl_daily" ? "# What it does\n\nLoads **orders**, customers and payments of the day.\n\n- waits for the manifest\n- checks quality before `load`\n\nSee [the runbook](https://wiki.example.org/etl)." : null, is_paused: dag.is_paused, owners: [dag.owner], tags: dag.tags.map((name) => ({ name, dag_id: dag.id })), fileloc: `/srv/dags/${dag.id}.yaml`, timetable_summary: dag.schedule, timezone: dag.timezone, max_active_runs: 16, max_active_tasks: 16, max_consecutive_failed_dag_runs: 0, catchup: false, params: dag.params ?? {}, latest_dag_version: { version_number: dag.version } };
  if (p[2] === "dagVersions") return { dag_versions: Array.from({ length: Math.min(dag.version, 8) }, (_, i) => ({ id: `v${i}`, version_number: dag.version - i, dag_id: dag.id, created_at: iso(world.now() - (i + 1) * 86_400_000 * 3), bundle_name: "dags", bundle_version: null })), total_entries: dag.version };
  if (p[2] === "dagRuns" && p[4] === "taskInstances" && p[6] === "xcomEntries") return { xcom_entries: [{ key: "return_value", timestamp: iso(world.now()), dag_id: dag.id, run_id: p[3], task_id: p[5], map_index: -1 }], total_entries: 1 };
  return null;
}
