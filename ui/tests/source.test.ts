// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test, vi } from "vitest";
import { ask } from "../src/lib/asked.ts";
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

test("what is found is told part by part, until it is enough", async () => {
  const asked = served(7, 3);
  const parts: number[] = [];
  const found = await new LogSource("/log", () => undefined).search("a", false, ({ lines }) => parts.push(lines.length) < 2);
  expect([parts, found.lines.length, found.more, asked.length]).toEqual([[3, 6], 6, true, 2]);
});

test("a thousand lines are enough", async () => {
  const asked = served(5000, 400);
  const found = await new LogSource("/log", () => undefined).search("a", false);
  expect([found.lines.length, found.more, asked.length]).toEqual([1000, true, 3]);
});

/* A log of three lines, whose newest try is the second; what was asked for early is there. */
async function early(complete = "true"): Promise<string[]> {
  const asked: string[] = [];
  vi.stubGlobal("window", { headrace_asked: new Map() });
  vi.spyOn(performance, "now").mockReturnValue(100);
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    const attempt = url.includes("/newest?") ? "2" : /\/(\d+)\?/.exec(url)![1];
    return Promise.resolve(new Response("a\nb\nc\n", { headers: { "Content-Type": "text/plain; charset=utf-8", "Log-Try": attempt, "Log-First-Line": "0", "Log-Lines": "3", "Log-Complete": complete } }));
  });
  const url = "/log/newest?tail=512";
  window.headrace_asked!.set(url, ask(url));
  await window.headrace_asked!.get(url)!.read;
  return asked;
}

test("the end of the newest try's log is there at once when it was asked for early", async () => {
  const asked = await early();
  const source = new LogSource("/log/2", () => undefined);
  expect([source.opened, source.total, source.line(2)]).toEqual([true, 3, "c"]);
  await source.open(false);
  expect(asked).toEqual(["/log/newest?tail=512"]);
});

test("an end that was not the last one is read again when nothing tells of what comes", async () => {
  for (const [may_grow, wanted] of [[true, []], [false, ["/log/2?tail=512"]]] as const) {
    const asked = await early("false");
    await new LogSource("/log/2", () => undefined).open(may_grow);
    expect(asked.slice(1)).toEqual(wanted);
  }
});

test("that of another try is asked for", async () => {
  const asked = await early();
  const source = new LogSource("/log/1", () => undefined);
  expect([source.opened, source.total]).toEqual([false, 0]);
  await source.open(true);
  expect([source.opened, source.total, asked.at(-1)]).toEqual([true, 3, "/log/1?tail=512"]);
});

test("another attempt of the try begins anew, and of one that is not shown nothing is heard", async () => {
  await early();
  const source = new LogSource("/log/2", () => undefined);
  source.grown({ attempt: "a", lines: 5, bytes: 1, complete: false });
  expect([source.total, source.line(2)]).toEqual([5, "c"]);
  source.grown({ attempt: "b", lines: 2, bytes: 1, complete: false });
  expect([source.total, source.line(1)]).toEqual([2, undefined]);
  const of_b = new LogSource("/log/1", () => undefined, "b");
  of_b.grown({ attempt: "a", lines: 500, bytes: 1, complete: true }); // before it is opened
  await of_b.open(true);
  expect(of_b.total).toBe(3);
});
