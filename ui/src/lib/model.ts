// SPDX-License-Identifier: Apache-2.0
/* model - the shapes of docs/api/ui.md. */

export interface Snapshot { seq?: number; now?: number }

export interface RunBars { key: number[]; id: string[]; state: string; type: string[]; run_after: number[]; start: (number | null)[]; end: (number | null)[] }

export interface DagRow {
  dag_id: string; display_name: string; description: string | null; tags: string[]; owners: string[]; file: string;
  is_paused: boolean; is_stale: boolean; is_favorite: boolean; has_import_errors: boolean; schedule: string | null; timezone: string; next_run: number | null;
  version: number; task_count: number; queued: number; running: number; median_ms: number | null; runs: RunBars;
}
export interface DagList extends Snapshot { total_entries: number; tags: string[]; owners?: string[]; dags: DagRow[] }

export interface Shape {
  dag_id: string; version: number; hash: string; versions: number;
  id: string[]; name: string[]; kind: number[]; parent: number[]; op: string[]; rule: string[]; queue: string[]; pool: string[]; doc: (string | null)[];
  from: number[]; to: number[];
}
export const KIND_TASK = 0, KIND_GROUP = 1, KIND_MAPPED = 2;

export interface CellRuns { key: number[]; id: string[]; type: string[]; state: string; run_after: number[]; logical: (number | null)[]; start: (number | null)[]; end: (number | null)[]; version: number[]; note: (string | null)[] }
export interface Cells extends Snapshot { hash: string; more: boolean; runs: CellRuns; st: string[]; tries: [number, number, number][]; mapped: number[][] }

export interface RunHead {
  key: number; run_id: string; state: string; run_type: string; logical_date: number | null; data_interval_start: number | null; data_interval_end: number | null;
  run_after: number; queued_at: number | null; start: number | null; end: number | null; version: number; hash: string;
  conf: unknown; params: Record<string, unknown> | null; note: string | null; triggered_by: string | null; cause: string | null;
}
export interface RunPage extends Snapshot {
  dag_id: string; is_paused: boolean; run: RunHead; previous_good: string | null; older: string | null; newer: string | null;
  st: string; try: number[]; queued: (number | null)[]; start: (number | null)[]; end: (number | null)[]; worker: (string | null)[];
  mapped: number[][]; errors: [number, number, number, string][];
}

export interface MappedRow { map_index: number; label: string | null; state: string; try: number; start: number | null; end: number | null; worker: string | null; error: string | null }
export interface MappedPage extends Snapshot { total: number; st: string; matches: number; errors: [error: string, n: number][]; rows: MappedRow[] }

export interface Try {
  try: number; attempt_id: string; state: string; queued_at: number | null; start: number | null; end: number | null; worker: string | null; host: string | null; pid: number | null;
  exit_code: number | null; signal: number | null; error: string | null; log_lines: number | null; log_bytes: number | null; cpu_ms: number | null; memory_peak_bytes: number | null;
}
export interface HistoryEntry { at: number; from: string; to: string; try: number; cause: string; sentence: string; actor: string }
export interface TaskPage extends Snapshot {
  dag_id: string; run_id: string; task_id: string; map_index: number; map_label: string | null; is_mapped: boolean; run_state: string; version: number; state: string; try: number; max_tries: number;
  operator: string; queue: string; pool: string; pool_slots: number; priority_weight: number; trigger_rule: string; scheduled_at: number | null; queued_at: number | null; start: number | null; end: number | null;
  worker: string | null; host: string | null; pid: number | null; error: string | null; tries: Try[]; history: HistoryEntry[]; upstream: string[]; downstream: string[];
  rendered: Record<string, unknown> | null; output: unknown; output_bytes: number;
}

/* Of a task, by run, oldest first: over all tries that count. */
export interface Usage extends Snapshot {
  run_id: string[]; start: (number | null)[]; version: number[]; tries: number[]; failed: boolean[];
  ran_ms: (number | null)[]; cpu_ms: (number | null)[]; memory_peak_bytes: (number | null)[]; memory_max_bytes: (number | null)[];
}

export interface Home extends Snapshot {
  hours: number;
  dags: { total: number; active: number; paused: number; import_errors: number };
  runs: { queued: number; running: number };
  tasks: Record<string, number>;
  slots: { workers: number; draining: number; lost: number; total: number; used: number };
  running: { dag_id: string; run_id: string; key: number; state: string; run_type: string; run_after: number; start: number | null; total: number; done: number; failed: number }[];
  failures: { dag_id: string; run_id: string; key: number; start: number | null; end: number | null; run_state: string; task_id: string | null; map_index: number; try_number: number; failed: number; error: string | null }[];
  next: { dag_id: string; at: number; schedule: string | null }[];
}
export interface Lane { dag_id: string; next: number | null; open: number; failed: number; runs: { id: string[]; state: string; start: number[]; end: (number | null)[] } }
export interface Lanes extends Snapshot { from: number; dags: number; lanes: Lane[] }
export interface Activity extends Snapshot { from: number; step_ms: number; runs: { success: number; failed: number }; success: number[]; failed: number[] }

export interface Reason { code: string; sentence: string; since: number | null; until: number | null; object: { kind: string; id: string; dag_id?: string; run_id?: string; map_index?: number } | null; advice: string | null }
export interface Why { now: number; state: string; reasons: Reason[] }

export interface WorkerTask { dag_id: string; run_id: string; task_id: string; map_index: number; try: number; start: number | null }
export interface Worker {
  name: string; host: string; queues: string[]; state: string; slots: number; used: number; version: string; started_at: number | null; heartbeat_at: number | null;
  cpu_percent: number | null; memory_bytes: number | null; memory_total_bytes: number | null; provider: string | null; drain_reason: string | null; tasks: WorkerTask[];
}
export interface Queue { queue: string; workers: number; slots: number; used: number }
export interface Workers extends Snapshot { workers: Worker[]; queues: Queue[] }

export interface WaitingItem {
  position: number | null; dag_id: string; run_id: string; task_id: string; map_index: number; queue: string; pool: string; pool_slots: number; priority: number; weight: number; run_queued_at: number;
  hold: "none" | "parallelism" | "worker" | "slots" | "paused" | "run_limit" | "task_limit";
}
export interface Waiting extends Snapshot { total: number; items: WaitingItem[] }

export interface ScaleEvent { at: number; from: number; to: number; kind: string; reason: string }
export interface ScaledQueue {
  queue: string; provider: string; min: number; max: number; slots: number; quiet_ms: number; demand: number; wanted: number; present: number; draining: number; healthy: boolean; error: string | null;
  at: number[]; demands: number[]; wanteds: number[]; presents: number[]; events: ScaleEvent[];
}
export interface Autoscaling { now: number; queues: ScaledQueue[] }

export interface ImportError {
  import_error_id: number; file: string; line: number | null; column: number | null; message: string; advice: string | null; excerpt: string | null; at: number; dag_ids: string[]; last_good_version: number | null;
}

export interface RunRow { dag_id: string; run_id: string; key: number; state: string; run_type: string; run_after: number; start: number | null; end: number | null; version: number; triggered_by: string | null; note: string | null; total: number; done: number; failed: number }
export interface TaskRow { dag_id: string; run_id: string; task_id: string; map_index: number; state: string; try: number; queued_at: number | null; start: number | null; end: number | null; worker: string | null; queue: string; pool: string; operator: string; error: string | null }

export interface DagDetails {
  dag_id: string; dag_display_name: string; description: string | null; doc_md: string | null; is_paused: boolean; owners: string[]; tags: { name: string }[]; fileloc: string;
  timetable_summary: string | null; timezone?: string; max_active_runs: number; max_active_tasks: number; catchup: boolean; next_dagrun_run_after?: string | null;
  params: Record<string, { value?: unknown; description?: string | null; schema?: Record<string, unknown> } | null> | null;
  [key: string]: unknown;
}
export interface Health { metadatabase: { status: string }; scheduler: { status: string; latest_scheduler_heartbeat: string | null }; dag_processor?: { status: string | null; latest_dag_processor_heartbeat: string | null } }
