// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test, vi } from "vitest";
import { LogSource } from "../src/log/source.ts";

/* A server that looks at a thousand lines a request. */
function serve(found_at: number, total: number): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (url: string) => {
    asked.push(url);
    const from = Number(/from=(\d+)/.exec(url)![1]);
    const to = Math.min(from + 1000, total);
    return new Response(JSON.stringify({ lines: found_at >= from && found_at < to ? [found_at] : [], searched: to, more: to < total }));
  });
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

test("a search goes on where the server stopped, until something is found", async () => {
  const asked = serve(2500, 9000);
  expect((await new LogSource("/log", () => undefined).search("it", false))?.lines).toEqual([2500]);
  expect(asked.length).toBe(3);
});
test("what is not there is said only at the end of the log", async () => {
  const asked = serve(-1, 9000);
  expect((await new LogSource("/log", () => undefined).search("it", false))?.lines).toEqual([]);
  expect(asked.length).toBe(9);
});
test("another search takes over", async () => {
  serve(8500, 9000);
  const source = new LogSource("/log", () => undefined);
  const [first, second] = await Promise.all([source.search("it", false), source.search("it", false)]);
  expect([first, second?.lines]).toEqual([null, [8500]]);
});
