// SPDX-License-Identifier: Apache-2.0
import { beforeEach, expect, test, vi } from "vitest";
import type { FromHub, ToHub } from "../src/lib/hub.ts";

vi.mock("../src/lib/trusted.ts", () => ({ script_url: (url: string) => url }));
let say: (message: FromHub) => void;
const posted: ToHub[] = [];
const connected = () => vi.waitFor(() => expect(say).toBeDefined(), 60_000); // not while the page is drawn for the first time
beforeEach(() => {
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("document", { addEventListener: () => undefined });
  vi.stubGlobal("SharedWorker", class {
    port = { postMessage: (message: ToHub) => posted.push(message), set onmessage(hear: (message: { data: FromHub }) => void) { say = (data) => hear({ data }); } };
  });
});

test("what is told again does not set the clock back", async () => {
  const { live_watch } = await import("../src/lib/live.ts");
  const { server_now } = await import("../src/lib/api.ts");
  live_watch(["home"], { event: () => undefined });
  expect(posted).toEqual([]);
  await connected();
  expect(posted).toEqual([{ kind: "topics", topics: ["home"] }]); // what waited
  const told = (at: number, kept?: boolean) => say({ kind: "events", topics: ["home"], events: [{ name: "workers", seq: 1, data: { now: at } }], kept });
  told(Date.now() + 60_000);
  told(Date.now() - 60_000, true);
  expect(server_now()).toBeGreaterThan(Date.now() + 30_000);
  told(Date.now());
});

test("the hub is told where the oldest snapshot is", async () => {
  const { live_watch } = await import("../src/lib/live.ts");
  const at = (seq: number | undefined) => ({ event: () => undefined, position: () => seq });
  const leave = [live_watch(["a"], at(9)), live_watch(["b"], at(7)), live_watch(["c"], at(undefined))];
  await connected();
  await vi.waitFor(() => expect(posted.at(-1)).toMatchObject({ kind: "topics", from: 7 }), 60_000);
  leave.forEach((l) => l());
});

test("a listener hears what was told to a connection that asked for its topics, and nothing else", async () => {
  const { live_watch } = await import("../src/lib/live.ts");
  const heard: string[] = [];
  live_watch(["run:x/1"], { event: (event) => heard.push(`1: ${event.seq}`) });
  live_watch(["run:x/2"], { event: (event) => heard.push(`2: ${event.seq}`) });
  await connected();
  const events = [{ name: "ti", seq: 11, data: { c: [] } }];
  say({ kind: "events", topics: ["run:x/1"], events });
  say({ kind: "events", topics: ["run:x/1", "run:x/2"], events });
  expect(heard).toEqual(["1: 11", "1: 11", "2: 11"]);
});
