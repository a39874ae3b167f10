// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { is_shown, query_of, type View } from "../src/lib/views.ts";

const view = (query: string, page: View["page"] = "tasks"): View => ({ id: 1, page, name: "x", query, is_default: false });

test("a view says its filters and nothing else of what stands in it", () => {
  expect(query_of(view("state=failed&dag_id=etl_*&do=clear&range="))).toEqual({ state: "failed", dag_id: "etl_*" });
  expect(query_of(view("worker=w-1&state=failed", "runs"))).toEqual({ state: "failed" });
});

test("a view is shown when the list is filtered by all that it says, in whatever order, and by no more", () => {
  const failed = view("state=failed&range=7d");
  expect(is_shown(failed, { range: "7d", state: "failed" })).toBe(true);
  for (const query of [{}, { state: "failed" }, { state: "failed", range: "30d" }, { state: "failed", range: "7d", q: "x" }]) expect(is_shown(failed, query as Record<string, string>), JSON.stringify(query)).toBe(false);
});
