// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { filter_asked } from "../src/lib/filter_text.ts";
import { first_urls, match, minute_now, url_of } from "../src/lib/urls.ts";

const first = (address: string) => { const { pathname, searchParams } = new URL(address, "http://h"); return first_urls(pathname, searchParams, 6); };

test("each page asks first for what it shows", () => {
  expect(first("/home")).toEqual(["/api/headrace/v1/ui/home?hours=6"]);
  expect(first("/dags/a%2Fb/graph?run_limit=50")).toEqual([url_of.dag("a/b"), url_of.shape("a/b"), url_of.cells("a/b", 50, null)]);
  expect(first("/dags/d/runs/r%3A1/gantt")).toEqual([url_of.run("d", "r:1")]);
  expect(first("/dags/d/runs/r/tasks/g.t")).toEqual([url_of.task("d", "r", "g.t", -1), url_of.mapped("d", "r", "g.t", 0, null, null), "/api/headrace/v1/ui/log/d/r/g.t/-1/newest?tail=512"]);
  expect(first("/dags/d/runs/r/tasks/t/mapped/7")).toEqual([url_of.task("d", "r", "t", 7), "/api/headrace/v1/ui/log/d/r/t/7/newest?tail=512"]);
  expect(first("/dags/d/runs/r/tasks/t/mapped/7?try=1")).toEqual([url_of.task("d", "r", "t", 7)]);
  expect(first("/dags/d/runs/r/tasks/t?state=failed&q=a%20b")[1]).toBe("/api/headrace/v1/ui/mapped/d/r/t?from=0&limit=100&state=failed&q=a%20b");
  expect(first("/dags/d/runs/r/tasks/t/history")).toEqual([url_of.task("d", "r", "t", -1)]);
  expect(first("/dags/d/runs/r/tasks/t/mapped/7/attempts")).toEqual([url_of.task("d", "r", "t", 7)]);
  expect(first("/settings")).toEqual([]);
  for (const [address, kind] of [["/dag_runs", "runs"], ["/task_instances", "tasks"]] as const) {
    expect(first(address)).toEqual([url_of.views(), url_of.list(kind, String(filter_asked(kind, {}, minute_now())))]);
    expect(first(`${address}?state=failed`)).toEqual([url_of.views()]);
  }
});

test("a log is named on the stream as in its address", () => {
  expect(url_of.log_topic(url_of.log("a/b", "r:1", "g.t", -1, 2))).toBe("log:a%2Fb/r%3A1/g.t/-1/2");
});

test("the list of DAGs is asked for as its address says", () => {
  expect(first("/dags?q=etl&show=paused&tag=a&sort=dag_id&offset=100")).toEqual(["/api/headrace/v1/ui/dags?runs=14&limit=100&order_by=dag_id&paused=true&q=etl&tag=a&offset=100"]);
  expect(first("/dags?show=failed")[0]).toContain("state=failed");
});

test("a pattern fits whole paths alone, and what is no text does not fit", () => {
  expect(match("/dags/:dag", "/dags/a%20b/")).toEqual({ dag: "a b" });
  expect(match("/dags/:dag", "/dags/a/b")).toBeNull();
  expect(match("/dags/:dag", "/dags/%E0%A4%A")).toBeNull();
});
