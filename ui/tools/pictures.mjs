// SPDX-License-Identifier: Apache-2.0
// Makes docs/pictures: each page once, of the mock's world as it stands still. npm run pictures
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { browser_open, page_open, PHONE, sign_in, until } from "../../tests/e2e/ui/browser.mjs";

const SIZE = { width: 1200, height: 720 };
const RUN = "/dags/etl_daily/runs/scheduled__2026-11-20T06%3A00%3A00%2B00%3A00";
const PAGES = [
  ["home", "/home"], ["dags", "/dags"], ["grid", "/dags/etl_daily"], ["graph", `${RUN}/graph`], ["graph_of_2000", "/dags/shard_rebuild/graph"], ["timeline", `${RUN}/gantt`], ["calendar", "/dags/etl_daily/calendar"],
  ["trends", "/dags/etl_daily/trends"], ["versions", "/dags/etl_daily/versions"], ["code", "/dags/etl_daily/code"], ["dag_details", "/dags/etl_daily/details"], ["backfills", "/dags/inventory_sync/backfills"],
  ["run", RUN], ["difference", `${RUN}/diff`], ["log", `${RUN}/tasks/load`], ["attempts", `${RUN}/tasks/load/attempts`], ["history", `${RUN}/tasks/load/history`],
  ["runs", "/dag_runs"], ["tasks", "/task_instances"], ["workers", "/workers?worker=w-1"], ["assets", "/assets?asset=orders_clean"], ["notifications", "/notifications"], ["pools", "/pools"], ["variables", "/variables"], ["connections", "/connections"], ["audit", "/events"], ["settings", "/settings"], ["users", "/security"], ["import_errors", "/import_errors"],
  ["home_dark", "/home", "dark"], ["log_dark", `${RUN}/tasks/load`, "dark"], ["run_phone", RUN, "light", PHONE], ["log_phone", `${RUN}/tasks/load`, "light", PHONE],
];

const mock = spawn(process.execPath, [new URL("../mock/server.mjs", import.meta.url).pathname, "--port", "0", "--still"], { stdio: ["ignore", "pipe", "inherit"] });
const base = await new Promise((resolve) => mock.stdout.on("data", (d) => resolve(/http:\S+/.exec(String(d))[0])));
const browser = await browser_open();
const only = process.argv.slice(2);
for (const [name, path, theme = "light", size = SIZE] of PAGES) {
  if (only.length && !only.includes(name)) continue;
  const { context, page } = await page_open(browser, { theme, size });
  await sign_in(page, base, "admin", "headrace");
  await page.goto(base + path);
  await page.waitForSelector("main h1");
  await until(page, `${path} is loaded`, () => !document.querySelector(".skeleton, .chart-space"));
  await page.evaluate(() => document.fonts.ready);
  const cdp = await context.newCDPSession(page);
  const { data } = await cdp.send("Page.captureScreenshot", { format: "webp", quality: 22 });
  writeFileSync(new URL(`../../docs/pictures/${name}.webp`, import.meta.url), Buffer.from(data, "base64"));
  await context.close();
}
await browser.close();
mock.kill();
