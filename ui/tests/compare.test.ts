// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test, vi } from "vitest";
import { diff_blocks, type Block } from "../src/lib/diff.ts";
import { key_of, LINES_MAX, pieces_of, tries_of } from "../src/log/compare.ts";
import { log_end } from "../src/log/compared.ts";

afterEach(() => vi.unstubAllGlobals());

test("neither the time in front of a line nor one within it is a difference; what it says is", () => {
  const same = (a: string, b: string) => key_of(a) === key_of(b);
  expect(same("2026-11-21T06:00:00.123Z o loading", "2026-11-22T07:10:00Z o loading")).toBe(true);
  expect(same("2026-11-21T06:00:00Z o 2026-11-21 06:00:00,001 INFO read", "2026-11-21T07:00:00Z o 2026-11-21 07:00:01,9 INFO read")).toBe(true);
  expect(same("2026-11-21T06:00:00Z o [06:00:00] \u001b[32mok\u001b[0m", "2026-11-21T07:00:00Z o [07:00:12] ok")).toBe(true);
  expect(same("2026-11-21T06:00:00Z o read 4096 rows", "2026-11-21T06:00:00Z o read 4097 rows")).toBe(false);
  expect(same("2026-11-21T06:00:00Z o the day 2026-11-20", "2026-11-21T06:00:00Z o the day 2026-11-21")).toBe(false);
});

test("an address names two tries that there are, the older first, or none", () => {
  expect(tries_of("3,2", [1, 2, 3])).toEqual([2, 3]);
  for (const text of ["", "2", "2,2", "2,9", "a,b", "1,2,3"]) expect(tries_of(text, [1, 2, 3]), text).toBeNull();
});

const numbers = (n: number) => Array.from({ length: n }, (_, i) => `line ${i}`);
const shown = (blocks: Block[], unfolded: string[] = [], rows_max = 1000) => pieces_of(blocks, new Set(unfolded), rows_max).pieces.map((p) => [p.fold ? "fold" : p.same ? "same" : "other", p.a, p.a_n, p.b, p.b_n]);

test("three lines stand on each side of a difference, the rest is folded and can be unfolded", () => {
  const a = numbers(100);
  const b = a.map((line, i) => (i === 50 ? "another" : line));
  const blocks = diff_blocks(a, b);
  expect(shown(blocks)).toEqual([["fold", 0, 47, 0, 47], ["same", 47, 3, 47, 3], ["other", 50, 1, 50, 1], ["same", 51, 3, 51, 3], ["fold", 54, 46, 54, 46]]);
  expect(shown(blocks, ["f0"])[0]).toEqual(["same", 0, 50, 0, 50]);
});

test("no line is lost by folding, whatever is unfolded, and one line is not folded", () => {
  const a = numbers(40);
  const b = a.flatMap((line, i) => (i % 8 === 7 ? ["new", line] : [line]));
  const blocks = diff_blocks(a, b);
  for (const unfolded of [[], ["f2"], ["f0", "f4"]]) {
    const pieces = shown(blocks, unfolded) as [string, number, number, number, number][];
    expect(pieces.reduce((sum, p) => sum + p[2], 0)).toBe(a.length);
    expect(pieces.reduce((sum, p) => sum + p[4], 0)).toBe(b.length);
    expect(pieces.every((p) => p[0] !== "fold" || p[2] > 1)).toBe(true);
  }
});

test("no more lines are drawn than asked for, also of one long difference", () => {
  const blocks = diff_blocks(numbers(5000), numbers(300).map((line) => `other ${line}`));
  const first = pieces_of(blocks, new Set(), 1000);
  expect([first.pieces.map((p) => [p.a_n, p.b_n]), first.more]).toEqual([[[1000, 300]], true]);
  const all = pieces_of(blocks, new Set(), 6000);
  expect([all.pieces.map((p) => [p.a_n, p.b_n]), all.more]).toEqual([[[5000, 300]], false]);
});

/* A log of so many lines, given as the server does. */
function served(total: number): void {
  vi.stubGlobal("fetch", (url: string) => {
    const query = new URL(url, "http://x").searchParams;
    const lines = Number(query.get("lines") ?? query.get("tail"));
    const from = query.has("tail") ? Math.max(0, total - lines) : Number(query.get("from"));
    const text = Array.from({ length: Math.min(lines, total - from) }, (_, i) => `${from + i}\n`).join("");
    return Promise.resolve(new Response(text, { headers: { "Log-First-Line": String(from), "Log-Lines": String(total), "Log-Complete": "true" } }));
  });
}

test("a log is read from its end, every line once, and no further than is compared", async () => {
  for (const total of [0, 1, 1999, 2000, 2001, 5000, LINES_MAX, LINES_MAX + 7]) {
    served(total);
    const log = await log_end("/log", new AbortController().signal);
    expect([log.first, log.lines.length, log.complete]).toEqual([Math.max(0, total - LINES_MAX), Math.min(total, LINES_MAX), true]);
    expect(log.lines.every((line, i) => Number(line) === log.first + i), String(total)).toBe(true);
  }
});
