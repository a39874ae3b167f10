// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test, vi } from "vitest";
import { LevelReader, row_of_line, type LeveledLine } from "../src/log/levels.ts";

afterEach(() => vi.unstubAllGlobals());

/* A server whose every answer looks at two lines of "plain" and "error" in turn. */
function served(total: number): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    const from = Number(new URL(url, "http://x").searchParams.get("from"));
    const end = Math.min(total, from + 2);
    const looked = Array.from({ length: end - from }, (_, i) => from + i);
    const errors = looked.filter((n) => n % 2 === 1);
    const body = { lines: errors.map((n) => [n, `line ${n}`]), counts: { plain: looked.length - errors.length, error: errors.length }, before: "error", searched: end, total_lines: total, more: end < total };
    return Promise.resolve(new Response(JSON.stringify(body)));
  });
  return asked;
}

test("a log is read to its end, and further when it has grown", async () => {
  const asked = served(6);
  const reader = new LevelReader("/log", "error", () => undefined);
  await reader.read(4);
  expect(reader.counts).toEqual({ plain: 2, error: 2 });
  await reader.read(6);
  expect(reader.rows.map(([n]) => n)).toEqual([1, 3, 5]);
  expect(reader.counts).toEqual({ plain: 3, error: 3 });
  expect(asked).toEqual(["/log/levels?level=error&from=0&before=plain", "/log/levels?level=error&from=2&before=error", "/log/levels?level=error&from=4&before=error"]);
});

test("one that is closed asks no more", async () => {
  const asked = served(100);
  const reader = new LevelReader("/log", "error", () => reader.close());
  await reader.read(100);
  expect(asked.length).toBe(1);
});

test("a line is found among rows, or the next one behind it", () => {
  const rows: LeveledLine[] = [[3, ""], [10, ""], [11, ""]];
  expect([0, 3, 4, 10, 11, 12].map((line) => row_of_line(rows, line))).toEqual([0, 0, 1, 1, 2, 3]);
});
