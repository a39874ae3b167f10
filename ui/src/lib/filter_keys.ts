// SPDX-License-Identifier: Apache-2.0
/* filter_keys - by what the lists of runs and of task instances are filtered: the word of each key, where it stands in the
 * address, what its values look like and what the server is asked for them. Pure. */
import { RUN_STATES, TASK_STATES } from "../states.ts";

export type Kind = "runs" | "tasks";

/* Bounds, each as the server takes it; absent where there is none. */
interface Bounds { min?: number; max?: number }

export interface Key {
  key: string; // as it is typed
  param: string; // in the address
  kinds: Kind[];
  help: string;
  is_list: boolean; // several values, of which one has to fit
  minus?: boolean; // a span is typed as -24h and stands as 24h in the address
  values: (kind: Kind) => string[]; // what is offered, before anything is known of the system
  problem: (value: string, kind: Kind) => string | null; // what is wrong with a value, and what would be right
  asked: (value: string, now: number) => Record<string, string>;
}

const BOTH: Kind[] = ["runs", "tasks"];
const TYPES = ["scheduled", "manual", "backfill", "asset_triggered", "operator_triggered"];
const states_of = (kind: Kind) => (kind === "runs" ? RUN_STATES : TASK_STATES.map((s) => s.name).filter((s) => s !== "none"));

/* One of few words. */
const among = (noun: string, words: (kind: Kind) => string[]) => ({
  values: words,
  problem: (value: string, kind: Kind) => (words(kind).includes(value) ? null : `There is no ${noun} “${value}”: there are ${words(kind).join(", ")}.`),
});

/* A name that the server knows. */
const any = { values: () => [], problem: () => null };

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/* "1h30m" in milliseconds; null when it is none. */
export function span_ms(text: string): number | null {
  if (!/^(\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text)) return null;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)].reduce((sum, [, n, unit]) => sum + Number(n) * UNITS[unit], 0);
}

const whole = (text: string) => (/^\d{1,9}$/.test(text) ? Number(text) : null);

/* ">2", ">=2", "<2", "<=2", "2..5" or, where one value can be meant, "2". `step`: the least by which values differ. */
function bounds_of(text: string, value_of: (text: string) => number | null, step: number): Bounds | null {
  const [, sign, one, other] = /^([<>]=?)?([^.<>=]+(?:\.\d[^.<>=]*)?)(?:\.\.(.+))?$/.exec(text) ?? [];
  const a = one === undefined ? null : value_of(one);
  const b = other === undefined ? null : value_of(other);
  if (a === null || (other !== undefined && (sign || b === null || b < a))) return null;
  if (other !== undefined) return { min: a, max: b! };
  if (!sign) return step ? { min: a, max: a } : null;
  const by = sign.length === 1 ? step : 0;
  if (sign[0] === ">") return { min: a + by };
  return a - by > 0 ? { max: a - by } : null;
}

const compared = (name: string, bounds: (text: string) => Bounds | null, help: string) => ({
  problem: (value: string) => (bounds(value) ? null : `“${value}” says nothing about ${help}.`),
  asked: (value: string) => Object.fromEntries(Object.entries(bounds(value) ?? {}).map(([end, n]) => [`${name}_${end}`, String(Math.round(n))])),
});

const MOMENT = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?Z?)?$/;

/* In UTC. A day that ends a range belongs to it. */
function moment_ms(text: string, is_end: boolean): number | null {
  if (!MOMENT.test(text)) return null;
  const is_day = text.length === 10;
  const at = Date.parse(is_day ? `${text}T00:00:00Z` : text.replace(/Z?$/, "Z"));
  return Number.isNaN(at) ? null : at + (is_day && is_end ? UNITS.d - 1 : 0);
}

/* Of "7d", "-7d", "all" or "2026-11-20..2026-11-21" (one of the two may be missing), to the minute; null when it is none of them. */
export function range_of(text: string, now: number): { from?: number; to?: number } | null {
  if (text === "all") return {};
  const back = span_ms(text.replace(/^-/, ""));
  if (back !== null) return back > 0 && back <= now ? { from: now - back } : null;
  const parts = text.split("..");
  if (parts.length !== 2 || !(parts[0] || parts[1])) return null;
  const from = parts[0] ? moment_ms(parts[0], false) : undefined;
  const to = parts[1] ? moment_ms(parts[1], true) : undefined;
  return from === null || to === null || (from !== undefined && to !== undefined && to < from) ? null : { from, to };
}

const listed = (param: string) => (value: string) => ({ [param]: value });

export const KEYS: Key[] = [
  { key: "state", param: "state", kinds: BOTH, help: "its state", is_list: true, asked: listed("state"), ...among("state", states_of) },
  { key: "dag", param: "dag_id", kinds: BOTH, help: "its DAG; etl_* for all that begin so", is_list: true, asked: listed("dag_id"), values: () => [],
    problem: (value) => (/^[^*]*\*?$/.test(value) ? null : `A star stands at the end, as in etl_*: “${value}” has one elsewhere.`) },
  { key: "type", param: "run_type", kinds: ["runs"], help: "what started it", is_list: true, asked: listed("run_type"), ...among("type of run", () => TYPES) },
  { key: "worker", param: "worker", kinds: ["tasks"], help: "where it ran", is_list: true, asked: listed("worker"), ...any },
  { key: "pool", param: "pool", kinds: ["tasks"], help: "whose slots it takes", is_list: true, asked: listed("pool"), ...any },
  { key: "queue", param: "queue", kinds: ["tasks"], help: "where it waits for a worker", is_list: true, asked: listed("queue"), ...any },
  { key: "try", param: "try", kinds: ["tasks"], help: "which attempt it is at", is_list: false, values: () => [">1", "1"],
    ...compared("try", (text) => bounds_of(text, whole, 1), "a try: write try:>1, try:<3, try:2 or try:2..4") },
  { key: "duration", param: "duration", kinds: BOTH, help: "how long it took", is_list: false, values: () => [">10m", ">1h", "<1s"],
    ...compared("duration", (text) => bounds_of(text, span_ms, 0), "how long: write duration:>1h, duration:<90s or duration:10m..1h30m") },
  { key: "ended", param: "range", kinds: BOTH, help: "when it ended; what has not ended fits too", is_list: false, minus: true, values: () => ["-1h", "-24h", "-7d", "-30d", "all"],
    problem: (value) => (range_of(value, Date.now()) ? null : `“${value}” is no time: write ended:-24h, ended:all or ended:2026-11-20..2026-11-21 (UTC).`),
    asked: (value, now) => Object.fromEntries(Object.entries(range_of(value, now) ?? {}).filter(([, at]) => at !== undefined).map(([end, at]) => [end, String(at)])) },
];

export const keys_of = (kind: Kind): Key[] => KEYS.filter((k) => k.kinds.includes(kind));
