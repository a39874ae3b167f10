// SPDX-License-Identifier: Apache-2.0
/* time - instants and durations as text. All instants are milliseconds UTC; the zone is the user's choice and is always
 * named where it could be mistaken. Pure, but for the zone database of the browser. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const NONE = "—";

/* "0.4 s", "12 s", "3 m 12 s", "1 h 04 m", "2 d 03 h". */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return NONE;
  const t = Math.max(0, ms);
  if (t < 950) return t < 10 ? `${Math.round(t)} ms` : `${(t / SECOND).toFixed(t < 100 ? 2 : 1)} s`;
  const s = Math.round(t / SECOND);
  if (t < 10 * SECOND && t % SECOND !== 0) return `${(Math.round(t / 100) / 10).toFixed(1)} s`;
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} m ${two(s % 60)} s`;
  const m = Math.floor(s / 60);
  if (m < 24 * 60) return `${Math.floor(m / 60)} h ${two(m % 60)} m`;
  const h = Math.floor(m / 60);
  return `${Math.floor(h / 24)} d ${two(h % 24)} h`;
}

/* Whole seconds only: what ticks must not flicker between forms. */
export function duration_live(ms: number): string {
  return duration(Math.floor(Math.max(0, ms) / SECOND) * SECOND).replace(/^0 ms$/, "0 s");
}

export function ago(at: number, now: number): string {
  const d = now - at;
  if (Math.abs(d) < 2 * SECOND) return "now";
  const text = coarse(Math.abs(d));
  return d >= 0 ? `${text} ago` : `in ${text}`;
}

function coarse(ms: number): string {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} m`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ${two(Math.floor((ms % HOUR) / MINUTE))} m`;
  return `${Math.floor(ms / DAY)} d ${two(Math.floor((ms % DAY) / HOUR))} h`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format_of(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
    });
    formats.set(zone, format);
  }
  return format;
}

export interface Civil { year: number; month: number; day: number; hour: number; minute: number; second: number; ms: number }

export function civil(at: number, zone: string): Civil {
  const parts: Record<string, number> = {};
  for (const part of format_of(zone).formatToParts(at)) if (part.type !== "literal") parts[part.type] = Number(part.value);
  return { year: parts.year, month: parts.month, day: parts.day, hour: parts.hour, minute: parts.minute, second: parts.second, ms: ((at % 1000) + 1000) % 1000 };
}

function two(n: number): string {
  return n < 10 ? `0${n}` : String(n);
}

export function date(at: number | null | undefined, zone: string): string {
  if (at === null || at === undefined) return NONE;
  const c = civil(at, zone);
  return `${c.year}-${two(c.month)}-${two(c.day)}`;
}

export function clock(at: number, zone: string, ms = false): string {
  const c = civil(at, zone);
  return `${two(c.hour)}:${two(c.minute)}:${two(c.second)}${ms ? "." + String(c.ms).padStart(3, "0") : ""}`;
}

/* "2026-11-21 14:03:07" */
export function instant(at: number | null | undefined, zone: string): string {
  return at === null || at === undefined ? NONE : `${date(at, zone)} ${clock(at, zone)}`;
}

/* Of charts that have a run, not a time, at each place: the hour where all runs are of two days, else the day. */
export function label_of_runs(starts: (number | null)[], zone: string): (run: number) => string {
  const known = starts.filter((at) => at !== null);
  const is_short = Math.max(...known) - Math.min(...known) < 2 * 86_400_000;
  return (run) => {
    const at = starts[run];
    return at === null || at === undefined ? "" : is_short ? clock(at, zone).slice(0, 5) : date(at, zone).slice(5);
  };
}

/* "+01:00" as it is in force at that instant: the doubled hour of autumn is told apart by it. */
export function offset(at: number, zone: string): string {
  const minutes = offset_minutes(at, zone);
  const abs = Math.abs(minutes);
  return `${minutes < 0 ? "−" : "+"}${two(Math.floor(abs / 60))}:${two(abs % 60)}`;
}

export function offset_minutes(at: number, zone: string): number {
  const c = civil(at, zone);
  const as_utc = Date.UTC(c.year, c.month - 1, c.day, c.hour, c.minute, c.second, c.ms);
  return Math.round((as_utc - at) / MINUTE);
}

/* The instant of a wall-clock time in a zone; one that does not exist gives the instant just after the gap, one that
 * exists twice the first of both. `text` is "YYYY-MM-DDTHH:MM[:SS]"; null when it is no such text. */
export function instant_of_wall(text: string, zone: string): number | null {
  const m = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d))?$/.exec(text);
  if (!m) return null;
  const wall = Date.UTC(+m[1], +m[2] - 1, +m[3], +m[4], +m[5], +(m[6] ?? 0));
  const before = offset_minutes(wall - DAY, zone);
  const after = offset_minutes(wall + DAY, zone);
  const candidates = [wall - before * MINUTE, wall - after * MINUTE].filter((at) => at + offset_minutes(at, zone) * MINUTE === wall);
  if (candidates.length) return Math.min(...candidates);
  return Math.max(wall - before * MINUTE, wall - after * MINUTE);
}

export function zone_of_browser(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

/* "CET", "UTC", or the offset where the zone has no letters. */
export function zone_short(zone: string, at: number): string {
  if (zone === "UTC") return "UTC";
  const part = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeZoneName: "short" }).formatToParts(at).find((p) => p.type === "timeZoneName");
  return part?.value ?? zone;
}

export function parse_rfc3339(text: string | null | undefined): number | null {
  if (!text) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const PRESETS: Record<string, string> = {
  "@once": "once", "@hourly": "every hour", "@daily": "every day 00:00", "@weekly": "Sundays 00:00", "@monthly": "1st of the month",
  "@quarterly": "every quarter", "@yearly": "every year", "@continuous": "without pause",
};

/* A schedule in words where that is certain, else as it was written. */
export function schedule_words(schedule: string | null): string {
  if (!schedule) return "by hand";
  if (PRESETS[schedule]) return PRESETS[schedule];
  const f = schedule.trim().split(/\s+/);
  if (f.length !== 5 || f[3] !== "*") return schedule;
  const [minute, hour, dom, , dow] = f;
  const every = /^\*\/(\d+)$/.exec(minute);
  if (every && hour === "*" && dom === "*" && dow === "*") return `every ${every[1]} minutes`;
  if (minute === "*" && hour === "*" && dom === "*" && dow === "*") return "every minute";
  if (!/^\d+$/.test(minute)) return schedule;
  if (hour === "*" && dom === "*" && dow === "*") return minute === "0" ? "every hour" : `hourly at :${two(+minute)}`;
  const hours = /^\*\/(\d+)$/.exec(hour);
  if (hours && dom === "*" && dow === "*") return `every ${hours[1]} hours${minute === "0" ? "" : ` at :${two(+minute)}`}`;
  if (!/^\d+$/.test(hour)) return schedule;
  const at = `${two(+hour)}:${two(+minute)}`;
  if (dom === "*" && dow === "*") return `every day ${at}`;
  if (dom === "*" && dow === "1-5") return `weekdays ${at}`;
  if (dom === "*" && /^[0-7]$/.test(dow)) return `${DAYS[+dow % 7]}s ${at}`;
  if (/^\d+$/.test(dom) && dow === "*") return `day ${dom} of the month ${at}`;
  return schedule;
}
