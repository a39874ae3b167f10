// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test, vi } from "vitest";
import { LogSource } from "../src/log/source.ts";

afterEach(() => vi.unstubAllGlobals());

/* A server whose every answer looks at so many lines, each of which holds the text. */
function served(total: number, at_once: number): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    const query = new URL(url, "http://x").searchParams;
    const from = Number(query.get("from"));
    const end = Math.min(total, from + at_once, from + Number(query.get("limit")));
    const lines = Array.from({ length: end - from }, (_, i) => from + i);
    return Promise.resolve(new Response(JSON.stringify({ lines, searched: end, total_lines: total, more: end < total })));
  });
  return asked;
}

test("a search goes on where an answer stopped, to the end of the log", async () => {
  const asked = served(7, 3);
  const found = await new LogSource("/log", () => undefined).search("a b", false);
  expect(found).toEqual({ lines: [0, 1, 2, 3, 4, 5, 6], searched: 7, more: false });
  expect(asked).toEqual([0, 3, 6].map((from) => `/log/search?q=a%20b&case=false&from=${from}&limit=${1000 - from}`));
});

test("a thousand lines are enough", async () => {
  const asked = served(5000, 400);
  const found = await new LogSource("/log", () => undefined).search("a", false);
  expect([found.lines.length, found.more, asked.length]).toEqual([1000, true, 3]);
});
