// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Hub, type FromHub } from "../src/lib/hub.ts";

/* A server by hand: each request stays open and is written to by the test. */
interface Connection { topics: string[]; after: number | null; write(text: string): void; end(): void; aborted(): boolean }
let connections: Connection[] = [];

beforeEach(() => {
  connections = [];
  vi.useFakeTimers();
  vi.stubGlobal("fetch", (url: string, init: { signal: AbortSignal }) => {
    const query = new URL(url, "http://x").searchParams;
    let control!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({ start: (c) => void (control = c) });
    init.signal.addEventListener("abort", () => { try { control.error(new DOMException("", "AbortError")); } catch { /* ended before */ } });
    connections.push({ topics: query.get("topics")!.split(","), after: query.has("after") ? Number(query.get("after")) : null, write: (text) => control.enqueue(new TextEncoder().encode(text)), end: () => control.close(), aborted: () => init.signal.aborted });
    return Promise.resolve({ ok: true, body });
  });
});
afterEach(() => { vi.useRealTimers(); vi.unstubAllGlobals(); });

const hello = (seq: number) => `event: hello\ndata: {"seq":${seq},"now":0}\n\n`;
const run = (seq: number) => `id: ${seq}\nevent: run\ndata: {"seq":${seq},"c":[]}\n\n`;
const later = (ms: number) => vi.advanceTimersByTimeAsync(ms);

function tab(hub: Hub, id: number) {
  const heard: FromHub[] = [];
  hub.join(id, (m) => heard.push(m));
  return {
    watch: (...topics: string[]) => hub.receive(id, { kind: "topics", topics }),
    shows: (from: number, ...topics: string[]) => hub.receive(id, { kind: "topics", topics, from }),
    leave: () => hub.receive(id, { kind: "bye" }),
    told: () => heard.flatMap((m) => (m.kind === "events" ? [m] : [])),
    seqs: () => heard.flatMap((m) => (m.kind === "events" ? m.events.map((e) => e.seq) : [])),
    covered: () => heard.flatMap((m) => (m.kind === "covered" ? [[Object.fromEntries(m.from), m.reset]] : [])),
    state: () => heard.flatMap((m) => (m.kind === "status" ? [m.status.state] : [])).at(-1),
  };
}

test("the topics of all tabs share one connection, and a tab that leaves takes nothing from the others", async () => {
  const hub = new Hub("/stream");
  const [a, b] = [tab(hub, 1), tab(hub, 2)];
  a.watch("home");
  b.watch("dag:x");
  await later(100);
  expect(connections.map((c) => c.topics)).toEqual([["dag:x", "home"]]);
  connections[0].write(hello(10) + run(11));
  await later(1);
  expect([a.seqs(), b.seqs(), a.state()]).toEqual([[11], [11], "live"]);
  a.leave();
  await later(100);
  expect(connections.length).toBe(1);
});

test("a new topic is asked for from seconds back, and the old connection is heard until the new one speaks", async () => {
  const hub = new Hub("/stream");
  const a = tab(hub, 1);
  a.watch("home");
  await later(100);
  connections[0].write(hello(10) + run(11));
  await later(20_000);
  connections[0].write(run(12));
  await later(1000);
  a.watch("home", "run:x/y");
  await later(100);
  expect([connections.length, connections[1].after, connections[0].aborted()]).toEqual([2, 11, false]);
  connections[0].write(run(13));
  await later(1);
  connections[1].write(hello(13) + run(12) + run(13));
  await later(1);
  expect([connections[0].aborted(), a.covered().at(-1)]).toEqual([true, [{ home: 10, "run:x/y": 11 }, false]]);
  expect(new Set(a.seqs())).toEqual(new Set([11, 12, 13]));
});

test("a new hub asks from where the page is, so that nothing need be read again", async () => {
  const hub = new Hub("/stream");
  const [a, b] = [tab(hub, 1), tab(hub, 2)];
  a.shows(7, "home");
  b.shows(3, "home"); // where one page is by then is where all are
  await later(100);
  expect(connections.map((c) => c.after)).toEqual([7]);
  connections[0].write(hello(10) + run(9));
  await later(1);
  expect([a.seqs(), a.covered().at(-1)]).toEqual([[9], [{ home: 7 }, false]]);
  a.shows(8, "home", "run:x/y");
  await later(100);
  expect(connections.at(-1)!.after).toBe(7);
});

test("who comes to a log that is open already hears how long it is", async () => {
  const hub = new Hub("/stream");
  const [a, b] = [tab(hub, 1), tab(hub, 2)];
  a.watch("log:d/r/t/-1/1");
  await later(100);
  const grown = (lines: number) => `event: log\ndata: {"now":0,"log":"d/r/t/-1/1","lines":${lines},"bytes":1,"complete":false}\n\n`;
  connections[0].write(hello(10) + grown(3) + grown(5));
  await later(1);
  b.watch("log:d/r/t/-1/1");
  await later(100);
  const { topics, events, kept } = b.told().at(-1)!;
  expect([connections.length, topics, events.map((e) => e.data.lines), kept]).toEqual([1, ["log:d/r/t/-1/1"], [5], true]);
});

test("an event that is told again after a new topic is told with that topic", async () => {
  const hub = new Hub("/stream");
  const a = tab(hub, 1);
  a.watch("run:x/1");
  await later(100);
  connections[0].write(hello(10) + run(11));
  await later(1);
  a.watch("run:x/1", "run:x/2");
  await later(100);
  connections[1].write(hello(11) + run(11));
  await later(1);
  expect(a.told().map((m) => [m.topics, m.events[0].seq])).toEqual([[["run:x/1"], 11], [["run:x/1"], 11], [["run:x/1", "run:x/2"], 11]]);
  const b = tab(hub, 2);
  b.watch("run:x/2");
  expect(b.told().map((m) => m.topics.includes("run:x/2"))).toEqual([false, true]);
});

test("a tab that comes later hears what was just told of an open topic", async () => {
  const hub = new Hub("/stream");
  const a = tab(hub, 1);
  a.watch("home");
  await later(100);
  connections[0].write(hello(10) + run(11));
  await later(1000);
  const b = tab(hub, 2);
  b.watch("home");
  expect([b.seqs(), b.covered()]).toEqual([[11], [[{ home: 10 }, false]]]);
});

test("a broken connection is made again from the last event, and a reset says that all is to be read anew", async () => {
  const hub = new Hub("/stream");
  const a = tab(hub, 1);
  a.watch("home");
  await later(100);
  connections[0].write(hello(10) + run(11));
  await later(10_000);
  connections[0].write(run(12));
  await later(7000);
  connections[0].write(run(13));
  await later(1);
  connections[0].end();
  await later(1);
  expect(a.state()).toBe("waiting");
  await later(1000);
  expect(connections[1].after).toBe(12);
  connections[1].write(hello(99) + 'event: reset\ndata: {"seq":99}\n\n');
  await later(1);
  expect([a.state(), a.covered().at(-1)]).toEqual(["live", [{ home: 99 }, true]]);
});

test("who watches nothing is told that there is nothing to hear, not that it connects", async () => {
  const hub = new Hub("/stream");
  const a = tab(hub, 1);
  await later(1000);
  expect(a.state()).toBe("idle");
  a.watch("home");
  await later(100);
  expect(a.state()).toBe("connecting");
  connections[0].write(hello(10));
  await later(1);
  expect(a.state()).toBe("live");
  a.watch();
  await later(20_000);
  a.watch();
  await later(1000);
  expect([a.state(), connections[0].aborted(), connections.length]).toEqual(["idle", true, 1]);
});

test("silence is taken for a break", async () => {
  const hub = new Hub("/stream");
  const a = tab(hub, 1);
  a.watch("home");
  await later(100);
  connections[0].write(hello(10));
  await later(30_000);
  connections[0].write(": ping\n\n");
  await later(30_000);
  expect(a.state()).toBe("live");
  await later(6000);
  expect(["waiting", "connecting"]).toContain(a.state());
  expect(connections[0].aborted()).toBe(true);
});
