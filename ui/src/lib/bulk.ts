// SPDX-License-Identifier: Apache-2.0
/* bulk - one action upon many runs or tasks. The server does it and tells of each; what it has told is kept here, whatever
 * page is shown. Hanging up stops it. */
import { useSyncExternalStore } from "react";
import { api_lines, ApiError, V1 } from "./api.ts";

export interface BulkItem { dag_id: string; run_id: string; task_id?: string; map_index?: number }
export interface Refusal extends BulkItem { status: number; refused: string }
export type BulkLine = { total: number } | { end: "all" | "stopped"; why?: string } | BulkItem | Refusal;

export interface Report { total: number; done: number; refused: Refusal[]; end: "all" | "stopped" | null; why: string | null }
export interface Bulk { id: number; title: string; report: Report; stop: () => void }

/* Which rows: those of a list's query (with how many there were when it was shown), or those that are named. */
export type BulkRows = { query: string; expected: number } | { items: BulkItem[] };

export const REPORT_EMPTY: Report = { total: 0, done: 0, refused: [], end: null, why: null };

export function report_add(report: Report, line: BulkLine): Report {
  if ("total" in line) return { ...report, total: line.total };
  if ("end" in line) return { ...report, end: line.end, why: line.why ?? null };
  if ("refused" in line) return { ...report, refused: [...report.refused, line] };
  return { ...report, done: report.done + 1 };
}

/* The same reason is told once, with all that it holds for; the most frequent first. */
export function refusals_by_reason(refused: Refusal[]): [string, Refusal[]][] {
  const groups = new Map<string, Refusal[]>();
  for (const r of refused) groups.set(r.refused, [...(groups.get(r.refused) ?? []), r]);
  return [...groups].sort((a, b) => b[1].length - a[1].length);
}

let bulks: Bulk[] = [];
let next_id = 1;
let frame = 0;
const listeners = new Set<() => void>();

function changed(): void {
  // Lines come by the thousand: one drawing per frame.
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    bulks = [...bulks];
    for (const listener of listeners) listener();
  });
}

export function useBulks(): Bulk[] {
  return useSyncExternalStore((l) => (listeners.add(l), () => listeners.delete(l)), () => bulks);
}

export function bulk_dismiss(id: number): void {
  bulks = bulks.filter((b) => b.id !== id);
  changed();
}

addEventListener("beforeunload", (event) => {
  if (bulks.some((b) => b.report.end === null)) event.preventDefault();
});

/* Resolves when the server has begun; throws what it refused. */
export async function bulk_start(kind: "runs" | "tasks", title: string, action: string, rows: BulkRows): Promise<void> {
  const abort = new AbortController();
  const bulk: Bulk = { id: next_id++, title, report: REPORT_EMPTY, stop: () => abort.abort() };
  const named = "items" in rows;
  const body = named ? { action, items: rows.items } : { action, expected: rows.expected };
  const lines = await api_lines<BulkLine>(`${V1}/ui/${kind}/bulk${named ? "" : `?${rows.query}`}`, body, abort.signal);
  bulks = [...bulks, bulk];
  const told = (line: BulkLine) => {
    bulk.report = report_add(bulk.report, line);
    changed();
  };
  void lines(told).then(
    () => bulk.report.end ?? told({ end: "stopped", why: "The server has broken off. What is not told of here is in the audit log if it was done." }),
    (error: unknown) => told({ end: "stopped", why: abort.signal.aborted ? "Stopped by you. What was under way is in the audit log." : (error as ApiError).message }),
  );
}
