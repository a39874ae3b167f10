// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { keys_of, range_of, span_ms, type Kind } from "../src/lib/filter_keys.ts";
import { filter_asked, filter_completions, filter_of, filter_read, filter_write, type Query } from "../src/lib/filter_text.ts";

/* The same numbers in every run. */
function dice(seed: number): (sides: number) => number {
  return (sides) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * sides);
  };
}

const KINDS: Kind[] = ["runs", "tasks"];
const NAMES = ["w-7", "etl", "my pool", 'say "hi"', "back\\slash", "état", "a:b", "manual__2026-11-21T06:00:00+00:00", "x\ty", "-", "*"];
const VALUES: Record<string, string[]> = { duration: [">1h", "<90s", "10m..1h30m"], range: ["7d", "all", "2026-11-20..2026-11-21", "..2026-11-21", "90m"], try: [">1", "2", "2..4", "<=3"], dag_id: ["etl", "etl_*", "*", "a b"] };
const WORDS = ["orders", "state:failed", "-dag:x", '"', "a\"b", "  two  blanks ", "no:key", "\\", "manual__2026-11-21T06:00:00+00:00", "day 12"];

function made(kind: Kind, roll: (sides: number) => number): Query {
  const query: Query = {};
  for (const key of keys_of(kind)) {
    if (roll(3)) continue;
    const from = VALUES[key.param] ?? (key.values(kind).length ? key.values(kind) : NAMES);
    const values = Array.from({ length: key.is_list ? 1 + roll(3) : 1 }, () => from[roll(from.length)]);
    query[key.param] = [...new Set(values)].join(",");
  }
  if (!roll(2)) query.q = Array.from({ length: 1 + roll(2) }, () => WORDS[roll(WORDS.length)]).join(" ");
  return query;
}

test("what an address says, its line of text says, and the other way round", () => {
  const roll = dice(7);
  for (let n = 0; n < 3000; n++) {
    const kind = KINDS[n % 2];
    const query = made(kind, roll);
    const text = filter_write(kind, query);
    expect(filter_read(kind, text), text).toEqual({ query, problems: [] });
    expect(filter_of(kind, new URLSearchParams(query))).toEqual(query);
  }
});

test("whatever is typed is read, and what was understood of it stays the same when it is written down", () => {
  const roll = dice(8);
  const pieces = ["state:", "failed", "dag:", "worker:", "no:", '"', "\\", ",", " ", "-", ">1h", "duration:", "ended:", "etl_*", ":", "é", "try:2"];
  for (let n = 0; n < 3000; n++) {
    const text = Array.from({ length: roll(9) }, () => pieces[roll(pieces.length)]).join("");
    const kind = KINDS[n % 2];
    const { query, problems } = filter_read(kind, text);
    for (const p of problems) expect(p.from < p.to && p.to <= text.length && p.text.endsWith("."), `${text}: ${JSON.stringify(p)}`).toBe(true);
    expect(filter_read(kind, filter_write(kind, query)), text).toEqual({ query, problems: [] });
  }
});

test("a line of the usual kind", () => {
  expect(filter_read("tasks", "state:failed,running dag:etl_* ended:-24h duration:>1h try:>1 worker:w-7 day 12")).toEqual({
    query: { state: "failed,running", dag_id: "etl_*", range: "24h", duration: ">1h", try: ">1", worker: "w-7", q: "day 12" }, problems: [],
  });
  expect(filter_read("tasks", "state:failed state:running state:failed").query).toEqual({ state: "failed,running" });
  expect(filter_read("runs", 'manual__2026-11-21T06:00:00+00:00 "state:failed"').query).toEqual({ q: "manual__2026-11-21T06:00:00+00:00 state:failed" });
  expect(filter_read("runs", "dag_id:etl run_type:manual").query).toEqual({ dag_id: "etl", run_type: "manual" });
});

test("what is wrong is said with its place and what would be right, and the rest is understood", () => {
  const said = (kind: Kind, text: string) => filter_read(kind, text).problems.map((p) => [text.slice(p.from, p.to), p.text]);
  expect(said("runs", "dag:etl colour:red")).toEqual([["colour:red", "There is no key colour. There are state, dag, type, duration, ended; what is meant as text stands in quotes."]]);
  expect(said("runs", "worker:w-7")[0][1]).toMatch(/^worker is a key of task instances, not of runs\./);
  expect(said("runs", "state:failde")[0][1]).toBe("There is no state “failde”: there are queued, running, success, failed.");
  expect(said("tasks", "state:")[0][1]).toMatch(/^state: needs a value, such as /);
  expect(said("tasks", "try:0..x")[0][1]).toMatch(/write try:>1/);
  expect(said("tasks", "try:<1").length).toBe(1);
  expect(said("runs", "duration:1h")[0][1]).toMatch(/write duration:>1h/);
  expect(said("runs", "duration:>1h duration:<2h")[0]).toEqual(["duration:<2h", "duration can be given once."]);
  expect(said("runs", "ended:yesterday")[0][1]).toMatch(/write ended:-24h/);
  expect(said("runs", "dag:*_daily")[0][1]).toMatch(/A star stands at the end/);
  expect(said("runs", "-state:failed")[0][1]).toMatch(/What is not wanted cannot be said/);
  expect(said("runs", 'state:failed "open')[0]).toEqual(['"open', "A quote is opened here and not closed."]);
  expect(filter_read("runs", "state:failed colour:red").query).toEqual({ state: "failed" });
});

test("spans and times", () => {
  expect([span_ms("1h30m"), span_ms("1.5h"), span_ms("90s"), span_ms("250ms"), span_ms("2d")]).toEqual([5_400_000, 5_400_000, 90_000, 250, 172_800_000]);
  for (const text of ["", "1", "h", "1h 30m", "-1h", "1w"]) expect(span_ms(text), text).toBeNull();
  const now = Date.parse("2026-11-22T12:00:00Z");
  expect(range_of("24h", now)).toEqual({ from: now - 86_400_000 });
  expect(range_of("all", now)).toEqual({});
  expect(range_of("2026-11-20..2026-11-21", now)).toEqual({ from: Date.parse("2026-11-20T00:00:00Z"), to: Date.parse("2026-11-22T00:00:00Z") - 1 });
  expect(range_of("2026-11-20T06:00..", now)).toEqual({ from: Date.parse("2026-11-20T06:00:00Z"), to: undefined });
  for (const text of ["", "..", "2026-11-21..2026-11-20", "2026-13-01..", "0h", "100000d"]) expect(range_of(text, now), text).toBeNull();
});

test("the server is asked for bounds in its own words, and for a day when nothing is said of the time", () => {
  const now = Date.parse("2026-11-22T12:00:00Z");
  const asked = (kind: Kind, text: string) => Object.fromEntries(filter_asked(kind, filter_read(kind, text).query, now));
  expect(asked("tasks", "try:>1 duration:10m..1h ended:all load")).toEqual({ q: "load", try_min: "2", duration_min: "600000", duration_max: "3600000" });
  expect(asked("tasks", "try:2 queue:gpu pool:a,b")).toEqual({ try_min: "2", try_max: "2", queue: "gpu", pool: "a,b", from: String(now - 86_400_000) });
  expect(asked("tasks", "try:<3 duration:<=1s ended:all")).toEqual({ try_max: "2", duration_max: "1000" });
  expect(Object.fromEntries(filter_asked("runs", { state: "failed,nonsense", duration: "x", range: "all" }, now))).toEqual({ state: "failed" });
});

test("keys, then values, are offered for where the caret stands", () => {
  const offered = (kind: Kind, text: string, caret = text.length) => filter_completions(kind, text, caret).choices.map((c) => c.text);
  expect(offered("runs", "")).toEqual(["state:", "dag:", "type:", "duration:", "ended:"]);
  expect(offered("tasks", "state:failed w")).toEqual(["worker:"]);
  expect(offered("runs", "state:failed,ru")).toEqual(["running"]);
  expect(filter_completions("runs", "state:ru dag:x", 8)).toMatchObject({ from: 6, to: 8, typed: "ru" });
  expect(filter_completions("tasks", "state:fa,running", 8)).toMatchObject({ from: 6, to: 8 });
  expect(filter_completions("tasks", "pool:de", 7)).toMatchObject({ kind_found: "pool", typed: "de", from: 5, to: 7 });
  expect(offered("runs", "orders")).toEqual([]);
});
