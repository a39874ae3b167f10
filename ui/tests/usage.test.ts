// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { growth } from "../src/lib/usage.ts";

const line = (n: number, first: number, step: number) => Array.from({ length: n }, (_, i) => first + step * i);

test("memory that grows run by run says in how many runs it meets its limit", () => {
  const grows = growth(line(10, 100, 10), 250)!; // the newest used 190
  expect([grows.before, grows.after, grows.runs_left]).toEqual([120, 170, 6]);
  expect(grows.factor).toBeCloseTo(170 / 120);
});
test("what is over its limit has no run left, and without a limit there is none to meet", () => {
  expect(growth(line(10, 100, 10), 150)!.runs_left).toBe(0);
  expect(growth(line(10, 100, 10), null)!.runs_left).toBeNull();
});
test("what stays, shrinks or moves a little does not grow", () => {
  for (const values of [line(10, 100, 0), line(10, 200, -10), line(10, 100, 2), [0, 0, 0, 0, 5, 5, 5, 5]]) expect(growth(values, 1000)).toBeNull();
});
test("one run that used much is no growth", () => { expect(growth([100, 100, 900, 100, 100, 100, 100, 100], 1000)).toBeNull(); });
test("runs that are not known count for nothing, and a few say nothing", () => {
  expect(growth([100, 120, null, 160, null, null], 1000)).toBeNull();
  expect(growth([100, null, 120, 140, null, 160, 180, 200], 300)!.runs_left).toBeGreaterThan(0);
});
