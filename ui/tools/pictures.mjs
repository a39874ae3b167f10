// SPDX-License-Identifier: Apache-2.0
// Each page once, for docs/pictures: node pictures.mjs URL USER PASSWORD CARD [NAME...], of the system that tools/pictures.py makes.
import { writeFileSync } from "node:fs";
import { browser_open, page_open, PHONE, sign_in, until } from "../../tests/e2e/ui/browser.mjs";

const [base, user, password, card_text, ...only] = process.argv.slice(2);
const card = JSON.parse(card_text);
const SIZE = { width: 1200, height: 720 };
const QUALITY = 22;
const e = encodeURIComponent;
const RUN = `/dags/etl_daily/runs/${e(card.failed)}`;
const USAGE = `/dags/billing_close/runs/${e(card.billing)}/tasks/usage`;
const WAITS = `/dags/model_training/runs/${e(card.held[0])}`;
const PAGES = [
  ["home", "/home"], ["dags", "/dags"], ["grid", "/dags/etl_daily"], ["graph", `${RUN}/graph`], ["graph_of_2000", "/dags/shard_rebuild/graph"], ["timeline", `${RUN}/gantt`], ["calendar", "/dags/etl_daily/calendar"],
  ["trends", "/dags/etl_daily/trends"], ["versions", "/dags/etl_daily/versions"], ["code", "/dags/etl_daily/code"], ["dag_details", "/dags/etl_daily/details"], ["backfills", "/dags/etl_daily/backfills"],
  ["run", RUN], ["difference", `${RUN}/diff`], ["log", `${RUN}/tasks/load`], ["attempts", `${RUN}/tasks/load/attempts`], ["compared", `${RUN}/tasks/load/attempts?compare=1,2`], ["resources", `${RUN}/tasks/load/resources`], ["history", `${RUN}/tasks/load/history`], ["mapped", USAGE], ["waiting", `${WAITS}/tasks/train`],
  ["runs", "/dag_runs"], ["tasks", "/task_instances"], ["filtered", "/task_instances?state=failed,up_for_retry&dag_id=etl_*&try=>1"], ["workers", "/workers"], ["queue", "/queues/default"], ["assets", "/assets?asset=orders_clean"], ["notifications", "/notifications"], ["pools", "/pools"], ["variables", "/variables"], ["connections", "/connections"], ["audit", "/events"], ["settings", "/settings"], ["users", "/security"], ["import_errors", "/import_errors"],
  ["home_dark", "/home", "dark"], ["grid_dark", "/dags/etl_daily", "dark"], ["log_dark", `${RUN}/tasks/load`, "dark"], ["run_phone", RUN, "light", PHONE], ["log_phone", `${RUN}/tasks/load`, "light", PHONE],
];

const browser = await browser_open();

/* One session for all: the audit log is among the pages. */
async function signed_in() {
  const { context, page } = await page_open(browser);
  await sign_in(page, base, user, password);
  const cookies = await context.cookies();
  await context.close();
  return cookies;
}

const cookies = await signed_in();
for (const [name, path, theme = "light", size = SIZE] of PAGES) {
  if (only.length && !only.includes(name)) continue;
  const { context, page } = await page_open(browser, { theme, size });
  await context.addCookies(cookies);
  await page.goto(base + path);
  await page.waitForSelector("main h1");
  await until(page, `${path} is loaded`, () => !document.querySelector(".skeleton, .chart-space"));
  await page.evaluate(() => document.fonts.ready);
  await until(page, "what it fetches is there", () => performance.now() - Math.max(0, ...performance.getEntriesByType("resource").map((r) => r.responseEnd)) > 400);
  const cdp = await context.newCDPSession(page);
  const { data } = await cdp.send("Page.captureScreenshot", { format: "webp", quality: QUALITY });
  writeFileSync(new URL(`../../docs/pictures/${name}.webp`, import.meta.url), Buffer.from(data, "base64"));
  await context.close();
}
await browser.close();
