// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { lane_axis, lane_order, reduce_lanes } from "../src/lib/lanes.ts";
import type { Lanes } from "../src/lib/model.ts";
import type { RunChange } from "../src/lib/stream.ts";

const LANES: Lanes = { seq: 1, from: 0, dags: 1, lanes: [{ dag_id: "etl", next: null, open: 1, failed: 0, runs: { id: ["b", "a"], state: "rs", start: [20, 10], end: [null, 15] } }] };
const told = (...c: RunChange[]) => reduce_lanes(LANES, { name: "run", seq: 2, data: { c } });

describe("lanes", () => {
  test("a run that ends changes its bar and the count of its lane", () => {
    const [lane] = told(["etl", "b", 2, "failed", "manual", 20, 20, 30]).lanes;
    expect([lane.runs.state, lane.runs.end, lane.open, lane.failed]).toEqual(["fs", [30, 15], 0, 1]);
  });
  test("a run that begins stands first, one that waits is not there yet, one that is deleted goes", () => {
    expect(told(["etl", "c", 3, "running", "manual", 40, 41, null]).lanes[0].runs).toEqual({ id: ["c", "b", "a"], state: "rrs", start: [41, 20, 10], end: [null, null, 15] });
    expect(told(["etl", "c", 3, "queued", "manual", 40, null, null])).toBe(LANES);
    expect(told(["etl", "b", 2, "deleted", "manual", 20, 20, null]).lanes[0].runs.id).toEqual(["a"]);
  });
  test("a DAG that begins to run gets a lane at the end", () => {
    const data = told(["new", "x", 9, "running", "manual", 40, 41, null]);
    expect(data.lanes.map((l) => l.dag_id)).toEqual(["etl", "new"]);
    expect(data.dags).toBe(2);
  });
  test("what is no run changes nothing", () => expect(reduce_lanes(LANES, { name: "workers", seq: 3, data: {} })).toBe(LANES));
  test("the axis goes beyond now, for what is planned", () => {
    const axis = lane_axis(0, 86_000_000);
    expect(axis.to).toBe(100_000_000);
    expect([axis.position(-5), axis.position(86_000_000), axis.position(2e9)]).toEqual([0, 0.86, 1]);
    expect(axis.ticks.every((t, i) => t >= 0 && t < axis.to && (i === 0 || t > axis.ticks[i - 1]))).toBe(true);
  });

  test("the order stays as it was, what is new comes behind, and what runs comes to the head as soon as it may", () => {
    const lane = (dag_id: string, open = 0) => ({ ...LANES.lanes[0], dag_id, open });
    const now = [lane("a"), lane("b"), lane("c"), lane("d", 1)];
    expect(lane_order([], [lane("a"), lane("b"), lane("c")], 2, true)).toEqual(["a", "b", "c"]);
    expect(lane_order(["c", "a", "b"], now, 2, false)).toEqual(["c", "a", "b", "d"]);
    expect(lane_order(["c", "a", "b", "d"], now, 2, true)).toEqual(["d", "c", "a", "b"]);
    expect(lane_order(["d", "c", "a", "b"], [lane("a"), lane("b", 1), lane("c"), lane("d", 1)], 4, true)).toEqual(["d", "c", "a", "b"]);
    const busy = [lane("a", 1), lane("b", 1), lane("c", 1)];
    expect(lane_order(["a", "b", "c"], busy, 2, true)).toEqual(["a", "b", "c"]); // more run than are shown: they stay where they are
    expect(lane_order(["gone", "a"], [lane("a")], 2, true)).toEqual(["a"]);
  });
});
