// SPDX-License-Identifier: Apache-2.0
// Every page of the application on real data: none is forgotten, each answers without an error, axe finds nothing on it, nothing
// is too wide. The pages are found as a person finds them, by the links of the bar, the menus and the tabs; the routes that
// ui/src/app.tsx names must all be among them.
import { readFileSync } from "node:fs";
import { check } from "./browser.mjs";
import { page_audited } from "./audit.mjs";
import { axe_findings, axe_install, page_open, sign_in } from "./browser.mjs";
import { ask, base, browser, gate, loaded, open, page, password, run_ended, run_path, so, task_is, trigger, walk } from "./live.mjs";

const app = readFileSync(new URL("../../../ui/src/app.tsx", import.meta.url), "utf8");
const table = app.slice(app.indexOf("const ROUTES"), app.indexOf("];", app.indexOf("const ROUTES")));
const routes = [...table.matchAll(/\["(\/[^"]*)"/g)].map((m) => m[1]);
const AT_ONCE = 2;

const fits = (route, path) => new RegExp(`^${route.replace(/:\w+/g, "[^/]+")}$`).test(path.split("?")[0]);
const links = (selector) => page.locator(selector).evaluateAll((list) => list.map((a) => a.getAttribute("href")));
const tabs_of = async (path) => { await open(path, ".tabs a"); return links(".tabs a"); };

/* Runs that have something of everything: failed, mapped, still waiting, backfilled. */
async function world_made() {
  const [good, bad] = [await trigger("gated", { gate: "/" }), await trigger("breaks")];
  await Promise.all([run_ended("gated", good), run_ended("breaks", bad)]);
  const held = await trigger("gated", { gate: gate("pages") });
  await task_is("gated", held, "hold", "running");
  await trigger("tells");
  await trigger("daily", { gate: "/" });
  const days = { dag_id: "daily", from_date: "2026-03-02T00:00:00Z", to_date: "2026-03-04T00:00:00Z", max_active_runs: 1, reprocess_behavior: "none", dag_run_conf: {} };
  check((await ask("backfills", "POST", days)).status === 200, "no backfill");
  await so("a notification that failed", async () => (await ask("/api/headrace/v1/notifications?state=failed")).body.total_entries > 0);
  await so("an asset that was updated", async () => (await ask("assets")).body.assets.some((a) => a.last_asset_event));
  await ask("variables", "POST", { key: "colour", value: "green", description: "of the door" });
  await ask("connections", "POST", { connection_id: "elsewhere", conn_type: "http", host: "a.example", password: "kept" });
  await ask(`dags/breaks/dagRuns/${encodeURIComponent(bad)}`, "PATCH", { note: "looked at" });
  return { good, bad, held };
}

async function pages_found({ good, bad, held }) {
  await open("/home", ".health");
  await page.click("nav[aria-label=Main] button[aria-label=Admin]");
  const worker = (await ask("/api/headrace/v1/workers")).body.workers[0].name;
  const failed = `${run_path("breaks", bad)}/tasks/bad`;
  const found = [
    "/", ...(await links("nav[aria-label=Main] a")), ...(await tabs_of("/dags/breaks")), "/dags/daily/backfills", "/dags/breaks/tasks/bad", "/dags/breaks/tasks/each",
    ...(await tabs_of(run_path("breaks", bad))), `${run_path("gated", held)}/diff`, run_path("gated", held), run_path("gated", good),
    ...(await tabs_of(failed)), `${run_path("breaks", bad)}/tasks/each`, `${run_path("gated", held)}/tasks/last`, ...(await tabs_of(`${run_path("breaks", bad)}/tasks/each/mapped/1`)).slice(0, 2),
    `/workers/${encodeURIComponent(worker)}`, "/queues/default", "/assets?asset=day_loaded", "/security/grants", "/security/roles", "/account", "/dags/nothing", "/nowhere",
  ];
  return [...new Set(found)];
}

/* Each worker takes the next page until none is left. */
async function audited(pages) {
  const findings = [];
  const left = [...pages];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    const { context, page, defects } = await page_open(browser, { csp: false });
    await axe_install(page);
    await page.goto(base + "/");
    await page.waitForSelector("#username");
    findings.push(...(await axe_findings(page)).map((f) => `sign-in: ${f}`));
    await sign_in(page, base, "admin", password);
    for (let path = left.shift(); path; path = left.shift()) await page_audited(page, base, path, findings);
    findings.push(...defects);
    await context.close();
  }));
  return findings;
}

let pages = [];

const cases = [
  ["no route of the application is without a link to it, or a place in this test", async () => {
    pages = await pages_found(await world_made());
    check(routes.length > 20, `only ${routes.length} routes were read from app.tsx`);
    const missed = routes.filter((route) => !pages.some((path) => fits(route, path)));
    check(!missed.length, `never visited: ${missed.join(", ")}`);
  }],
  ["every page answers, with its content policy in force", async () => {
    for (const path of pages) {
      await page.goto(base + path);
      await loaded(page, path);
      const alerts = await page.locator("main [role=alert]").allInnerTexts();
      check(!alerts.length, `${path}: ${alerts}`);
    }
  }],
  ["axe finds nothing, and nothing is too wide, on any page: light, dark, on a phone", async () => {
    const findings = await audited(pages);
    check(!findings.length, findings.slice(0, 40).join("\n    "));
  }],
];

await walk(cases);
