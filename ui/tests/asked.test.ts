// SPDX-License-Identifier: Apache-2.0
import { beforeEach, expect, test, vi } from "vitest";
import { ask, take_come, take_early } from "../src/lib/asked.ts";
import { page_files, PAGE_MODULES } from "../src/lib/urls.ts";

const answer = (status: number, body: unknown) => () => Promise.resolve(new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } }));
const asks = (url: string, status = 200, body: unknown = { url }) => {
  vi.stubGlobal("fetch", answer(status, body));
  window.headrace_asked!.set(url, ask(url));
};

beforeEach(() => {
  vi.stubGlobal("window", { headrace_asked: new Map() });
  vi.spyOn(performance, "now").mockReturnValue(100);
});

test("what was asked early is taken once, with or without waiting for it", async () => {
  asks("/a");
  expect(take_come("/a")).toBeUndefined(); // it is under way, and stays
  expect((await take_early("/a"))!.body).toEqual({ url: "/a" });
  expect(await take_early("/a")).toBeUndefined();
  asks("/b");
  await window.headrace_asked!.get("/b")!.read;
  expect(take_come("/b")!.body).toEqual({ url: "/b" });
  expect([take_come("/b"), await take_early("/b"), take_come("/never")]).toEqual([undefined, undefined, undefined]);
});

test("a text is read as one", async () => {
  vi.stubGlobal("fetch", () => Promise.resolve(new Response("a line\n", { headers: { "Content-Type": "text/plain; charset=utf-8", "Log-Try": "2" } })));
  window.headrace_asked!.set("/log", ask("/log"));
  const { body, response } = (await take_early("/log"))!;
  expect([body, response.headers.get("Log-Try")]).toEqual(["a line\n", "2"]);
});

test("a refusal has no body here", async () => {
  asks("/gone", 404, { detail: "no" });
  const gone = (await take_early("/gone"))!;
  expect([gone.body, gone.response.status, await gone.response.json()]).toEqual([undefined, 404, { detail: "no" }]);
});

test("who must sign in asks everything anew", async () => {
  const { api_get } = await import("../src/lib/api.ts");
  asks("/other");
  asks("/me", 401);
  await expect(api_get("/me")).rejects.toThrow();
  expect(window.headrace_asked!.size).toBe(0);
});

test("what nobody wanted for seconds is not given out later", async () => {
  asks("/a");
  await window.headrace_asked!.get("/a")!.read;
  vi.spyOn(performance, "now").mockReturnValue(10_001);
  expect([take_come("/a"), await take_early("/a")]).toEqual([undefined, undefined]);
});

test("the files of a page are those of its modules, each once", () => {
  expect(PAGE_MODULES).toContain("graph/graph");
  const files = { "pages/dag": ["/a.js", "/b.js"], "graph/graph": ["/g.js", "/b.js"] };
  expect(page_files(files, "/dags/x/graph")).toEqual(["/a.js", "/b.js", "/g.js"]);
  expect(page_files(files, "/dags/x")).toEqual(["/a.js", "/b.js"]);
  expect(page_files(files, "/settings")).toEqual([]);
});
