// SPDX-License-Identifier: Apache-2.0
import { beforeAll, expect, test, vi } from "vitest";
import type * as Bulk from "../src/lib/bulk.ts";

let bulk: typeof Bulk;

beforeAll(async () => {
  vi.stubGlobal("addEventListener", () => undefined); // there is no window here
  bulk = await import("../src/lib/bulk.ts");
});

const refused = (run_id: string, sentence: string) => ({ dag_id: "d", run_id, status: 409, refused: sentence });

test("what was done is counted, what was refused is kept with its reason, and the end is told", () => {
  const lines = [{ total: 3 }, { dag_id: "d", run_id: "a" }, refused("b", "it is being deleted"), { dag_id: "d", run_id: "c" }, { end: "all" as const }];
  const report = lines.reduce(bulk.report_add, bulk.REPORT_EMPTY);
  expect(report).toEqual({ total: 3, done: 2, refused: [refused("b", "it is being deleted")], end: "all", why: null });
});

test("what stopped it is told", () => {
  expect(bulk.report_add(bulk.REPORT_EMPTY, { end: "stopped", why: "no scheduler" })).toMatchObject({ end: "stopped", why: "no scheduler" });
});

test("a reason stands once, the most frequent first", () => {
  const rows = [refused("a", "gone"), refused("b", "busy"), refused("c", "busy")];
  expect(bulk.refusals_by_reason(rows).map(([reason, list]) => [reason, list.map((r) => r.run_id)])).toEqual([["busy", ["b", "c"]], ["gone", ["a"]]]);
});
