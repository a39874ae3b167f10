// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import type { Cells, RunPage, Shape } from "../src/lib/model.ts";
import { reduce_cells, reduce_run, REFETCH } from "../src/lib/reduce.ts";
import { backoff_ms, Gate, SseParser, type StreamEvent } from "../src/lib/stream.ts";
import { state_of_letter, TASK_STATES } from "../src/states.ts";

function parse(pieces: string[]): { events: StreamEvent[]; pings: number } {
  const events: StreamEvent[] = [];
  let pings = 0;
  const parser = new SseParser((e) => events.push(e), () => pings++);
  for (const piece of pieces) parser.feed(piece);
  return { events, pings };
}

describe("the parser", () => {
  const text = 'id: 7\nevent: ti\ndata: {"seq": 7,\ndata:  "c": []}\n\n: ping\n\nevent: hello\r\ndata: {"seq": 9}\r\n\r\n';
  test("reads events, pings and data of several lines", () => {
    const { events, pings } = parse([text]);
    expect(events.map((e) => [e.name, e.seq])).toEqual([["ti", 7], ["hello", 9]]);
    expect(pings).toBe(1);
  });
  test("gives the same however the bytes are cut", () => {
    const whole = parse([text]).events;
    for (let i = 1; i < text.length; i++) expect(parse([text.slice(0, i), text.slice(i)]).events).toEqual(whole);
    expect(parse([...text]).events).toEqual(whole);
  });
  test("drops what is not JSON and goes on", () => expect(parse(["event: ti\ndata: {oops\n\ndata: {\"seq\": 3}\n\n"]).events.map((e) => e.seq)).toEqual([3]));
});

const SHAPE: Shape = { dag_id: "d", version: 1, hash: "h", versions: 1, id: ["a", "b", "c", "m"], name: ["a", "b", "c", "m"], kind: [0, 0, 0, 2], parent: [-1, -1, -1, -1], op: [], rule: [], queue: [], pool: [], doc: [], from: [], to: [] };
const cells = (seq: number, st: string[]): Cells => ({ seq, hash: "h", more: false, runs: { key: [2, 1], id: ["r2", "r1"], type: ["manual", "manual"], state: "rs", run_after: [2, 1], logical: [null, null], start: [2, 1], end: [null, 9], version: [1, 1], note: [null, null] }, st, tries: [], mapped: [] });
const ti = (seq: number, task: string, state: string, run = "r2", map = -1): StreamEvent => ({ name: "ti", seq, data: { c: [["d", run, task, map, state, 1, seq, null, "w"]] } });

function play(base: Cells, snapshot_after: number, events: StreamEvent[]): Cells {
  const gate = new Gate();
  let data = base;
  const apply = (e: StreamEvent) => {
    const next = reduce_cells(data, e, gate, SHAPE);
    if (next !== REFETCH) data = next;
  };
  events.forEach((e, i) => {
    if (i === snapshot_after) gate.snapshot(base.seq!).forEach(apply);
    const admitted = gate.event(e);
    if (admitted) apply(admitted);
  });
  if (snapshot_after >= events.length) gate.snapshot(base.seq!).forEach(apply);
  return data;
}

describe("snapshot and changes", () => {
  test("what the snapshot holds already is not applied again", () => expect(play(cells(10, ["ssr.", "ssss"]), 0, [ti(9, "c", "queued"), ti(10, "c", "queued")]).st[0]).toBe("ssr."));
  test("what came while it was under way is applied after it, in order", () => expect(play(cells(10, ["s...", "ssss"]), 3, [ti(12, "b", "running"), ti(11, "b", "queued"), ti(13, "b", "success")]).st[0]).toBe("ss.."));
  test("a doubled event changes nothing", () => {
    const once = play(cells(10, ["s...", "ssss"]), 0, [ti(11, "b", "running")]);
    const twice = play(cells(10, ["s...", "ssss"]), 0, [ti(11, "b", "running"), ti(11, "b", "running")]);
    expect(twice.st).toEqual(once.st);
  });
  test("an older state never replaces a newer one", () => expect(play(cells(10, ["s...", "ssss"]), 0, [ti(13, "b", "success"), ti(12, "b", "running"), ti(11, "b", "queued")]).st[0]).toBe("ss.."));
  test("every order with drops of the older and doubles ends in the newest state", () => {
    let seed = 7;
    const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
    for (let round = 0; round < 400; round++) {
      const truth: Record<string, string> = {};
      const log: StreamEvent[] = [];
      for (let seq = 11; seq < 41; seq++) {
        const task = "abc"[Math.floor(random() * 3)];
        const state = TASK_STATES[Math.floor(random() * TASK_STATES.length)].name;
        truth[task] = state;
        log.push(ti(seq, task, state));
      }
      const last = new Map(log.map((e) => [(e.data.c as string[][])[0][2], e.seq]));
      const kept = log.filter((e) => last.get((e.data.c as string[][])[0][2]) === e.seq || random() > 0.3);
      const noisy = [...kept, ...kept.filter(() => random() < 0.3)].map((e) => ({ e, at: random() })).sort((x, y) => x.at - y.at).map((x) => x.e);
      const end = play(cells(10, ["....", "ssss"]), Math.floor(random() * (noisy.length + 1)), noisy);
      for (const [task, state] of Object.entries(truth)) expect(state_of_letter(end.st[0]["abcm".indexOf(task)]).name).toBe(state);
    }
  });
  test("a stream that was heard only after the snapshot asks for another", () => {
    const gate = new Gate();
    gate.snapshot(10);
    expect(gate.covered(10)).toBe(false);
    expect(gate.covered(12)).toBe(true);
    expect(gate.too_old(11)).toBe(true);
    expect(gate.too_old(12)).toBe(false);
  });
});

describe("the reducers", () => {
  test("ask again for what comes before the structure is there, instead of losing it", () => {
    const page = { dag_id: "d", run: { run_id: "r2" }, st: "" } as unknown as RunPage;
    expect(reduce_run(page, ti(11, "b", "running"), new Gate(), null)).toBe(REFETCH);
    expect(reduce_run(page, ti(11, "b", "running", "r1"), new Gate(), null)).toBe(page);
    expect(reduce_cells(cells(10, []), ti(11, "b", "running"), new Gate(), null)).toBe(REFETCH);
  });
  const gate = () => { const g = new Gate(); g.snapshot(10); return g; };
  test("leave alone what belongs to others", () => {
    const base = cells(10, ["s...", "ssss"]);
    expect(reduce_cells(base, { name: "ti", seq: 11, data: { c: [["other", "r2", "b", -1, "failed", 1, null, null, null]] } }, gate(), SHAPE)).toBe(base);
    expect(reduce_cells(base, ti(11, "unknown", "failed"), gate(), SHAPE)).toBe(base);
    expect(reduce_cells(base, ti(11, "b", "failed", "r99"), gate(), SHAPE)).toBe(base);
  });
  test("ask again for a mapped task, a new run, a deleted run and a new version", () => {
    const base = cells(10, ["s...", "ssss"]);
    expect(reduce_cells(base, ti(11, "m", "failed", "r2", 3), gate(), SHAPE)).toBe(REFETCH);
    expect(reduce_cells(base, { name: "run", seq: 11, data: { c: [["d", "r3", 3, "queued", "manual", 1, null, null]] } }, gate(), SHAPE)).toBe(REFETCH);
    expect(reduce_cells(base, { name: "run", seq: 11, data: { c: [["d", "r1", 1, "deleted", "manual", 1, null, null]] } }, gate(), SHAPE)).toBe(REFETCH);
    expect(reduce_cells(base, { name: "dag", seq: 11, data: { dags: ["d"] } }, gate(), SHAPE)).toBe(REFETCH);
  });
  test("change a run's own state in place", () => {
    const next = reduce_cells(cells(10, ["s...", "ssss"]), { name: "run", seq: 11, data: { c: [["d", "r2", 2, "failed", "manual", 1, 2, 20]] } }, gate(), SHAPE) as Cells;
    expect([next.runs.state, next.runs.end]).toEqual(["fs", [20, 9]]);
  });
  test("a run page follows its tasks, and asks again when one fails", () => {
    const page = { seq: 10, dag_id: "d", is_paused: false, run: { run_id: "r2", state: "running" }, st: "s...", try: [1, 0, 0, 0], queued: [1, null, null, null], start: [1, null, null, null], end: [2, null, null, null], worker: ["w", null, null, null], mapped: [], errors: [] } as unknown as RunPage;
    const next = reduce_run(page, ti(11, "b", "running"), gate(), SHAPE) as RunPage;
    expect([next.st, next.start[1], next.worker[1], page.st]).toEqual(["sr..", 11, "w", "s..."]);
    expect(reduce_run(page, ti(11, "b", "failed"), gate(), SHAPE)).toBe(REFETCH);
  });
});

test("the wait before a reconnect doubles to 15 s and is spread", () => {
  expect(backoff_ms(0, 1)).toBe(500);
  expect(backoff_ms(1, 1)).toBe(1000);
  expect(backoff_ms(60, 1)).toBe(15_000);
  expect(backoff_ms(60, 0)).toBe(7500);
});
