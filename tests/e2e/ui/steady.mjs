// SPDX-License-Identifier: Apache-2.0
// While the system works: nothing moves under the pointer, memory does not grow, the tabs share one stream, and a connection
// that is lost is shown and comes back with what has happened meanwhile. HEADRACE_STANDALONE_PID is its parent.
import { execFileSync } from "node:child_process";
import { check, until } from "./browser.mjs";
import { base, context, gate, gate_open, loaded, open, page, run_ended, run_path, settled, task_is, trigger, walk } from "./live.mjs";

const SHIFT_MAX = 0.01;
const WARM_RUNS = 12;
const RUNS = 40; // of 30 tasks that change three times each: what a busy hour brings
const GROWTH = 1.15;
const SLACK_BYTES = 2 << 20;

const live = (on = page) => until(on, "the stream is live", () => document.querySelector(".live-live") !== null);
const busy = async (runs) => { for (const run of await Promise.all(Array.from({ length: runs }, () => trigger("busy")))) await run_ended("busy", run); };

/* The shifts that no hand has made, from now on. */
const shifts_watch = () => page.evaluate(() => {
  const seen = window.shifts !== undefined;
  window.shifts = [];
  const name = (node) => (node ? `${node.nodeName.toLowerCase()}.${node.className ?? node.parentElement?.className}` : "?");
  if (!seen) new PerformanceObserver((list) => { for (const s of list.getEntries()) if (!s.hadRecentInput) window.shifts.push({ by: s.value, what: s.sources.map((x) => `${name(x.node)} from ${x.previousRect.y} to ${x.currentRect.y}`) }); }).observe({ type: "layout-shift" });
});

async function shifted_little(path) {
  const shifts = await page.evaluate(() => window.shifts);
  const sum = shifts.reduce((n, { by }) => n + by, 0);
  check(sum < SHIFT_MAX, `${path}: shifted by ${sum.toFixed(4)}: ${JSON.stringify(shifts.slice(0, 5))}`);
}

/* The pointer rests on the middle of `selector` while runs come and go; what is below it stays there. */
async function still(path, selector, what) {
  await open(path, selector);
  await loaded(page, path);
  await live();
  await settled();
  const box = await page.locator(selector).first().boundingBox();
  const at = { x: box.x + Math.min(box.width / 2, 60), y: box.y + box.height / 2 };
  await page.mouse.move(at.x, at.y);
  const below = () => page.evaluate(({ x, y, what }) => document.elementFromPoint(x, y)?.closest(what)?.querySelector(".strong, .clip")?.textContent, { ...at, what });
  const first = await below();
  check(first, `${path}: nothing is below the pointer`);
  await shifts_watch();
  await busy(6);
  check(await below() === first, `${path}: ${first} was below the pointer, then ${await below()}`);
  await shifted_little(path);
}

async function memory(cdp) {
  for (let n = 0; n < 3; n++) await cdp.send("HeapProfiler.collectGarbage");
  const { metrics } = await cdp.send("Performance.getMetrics");
  const of = (name) => metrics.find((m) => m.name === name).value;
  return { heap: of("JSHeapUsedSize"), nodes: of("Nodes"), listeners: of("JSEventListeners") };
}

/* The web server, which the standalone program starts again when it ends. */
function web_server() {
  const rows = execFileSync("ps", ["-e", "-o", "pid=,ppid=,comm="], { encoding: "utf8" }).trim().split("\n").map((row) => row.trim().split(/\s+/));
  const parent = process.env.HEADRACE_STANDALONE_PID;
  return Number(rows.find(([, ppid, name]) => ppid === parent && name.startsWith("headrace-webs"))?.[0]);
}

const cases = [
  ["there are runs to look at", () => busy(4)],
  ["nothing moves on the list of DAGs while runs come and go", () => still("/dags?sort=dag_id", ".dags tbody tr:nth-child(2)", "tr")],
  ["nothing moves in the grid", () => still("/dags/busy", ".grid-row:has(.clip:text-is('t02'))", ".grid-row")],
  ["nothing moves in the list of runs: what is new waits", () => still("/dag_runs", "tbody tr:nth-child(3)", "tr")],
  ["nothing moves on the page of a run that goes on", async () => {
    const held = await trigger("gated", { gate: gate("still") });
    await task_is("gated", held, "hold", "running");
    await still(run_path("gated", held), ".tasks tbody tr:nth-child(2)", "tr");
    await shifts_watch();
    gate_open("still");
    await until(page, "its end", () => /Succeeded/.test(document.querySelector(".meta .state").textContent));
    await shifted_little("its end");
  }],
  ["nothing moves among the workers", () => still("/workers", "tbody tr", "tr")],
  ["memory does not grow over a busy hour, on the grid and on the first page", async () => {
    for (const [path, selector] of [["/dags/busy", ".grid-row .cell"], ["/home", ".health"]]) {
      await open(path, selector);
      await live();
      const cdp = await context.newCDPSession(page);
      await cdp.send("Performance.enable");
      await busy(WARM_RUNS);
      const before = await memory(cdp);
      await busy(RUNS);
      const after = await memory(cdp);
      await cdp.detach();
      check(after.heap < before.heap * GROWTH + SLACK_BYTES, `${path}: ${JSON.stringify(before)} became ${JSON.stringify(after)}`);
      check(after.nodes < before.nodes * 1.3 + 500 && after.listeners < before.listeners * 1.3 + 100, `${path}: ${JSON.stringify(before)} became ${JSON.stringify(after)}`);
    }
  }],
  ["pages left behind give back what they held", async () => {
    await open("/home", ".health");
    const cdp = await context.newCDPSession(page);
    await cdp.send("Performance.enable");
    const around = async (times) => {
      for (let n = 0; n < times; n++) {
        for (const to of ["/dags", "/dag_runs", "/workers", "/home"]) {
          await page.click(`header nav a[href='${to}']`);
          await until(page, to, (p) => location.pathname === p && document.querySelector("main h1") && !document.querySelector(".skeleton"), to);
        }
      }
    };
    await around(3);
    const before = await memory(cdp);
    await around(9);
    const after = await memory(cdp);
    check(after.heap < before.heap * GROWTH + SLACK_BYTES && after.listeners < before.listeners * 1.3 + 100, `${JSON.stringify(before)} became ${JSON.stringify(after)}`);
  }],
  ["all tabs share one stream, and each hears of a run", async () => {
    const tabs = [];
    for (const path of ["/dags/busy", "/dag_runs", "/home"]) {
      const tab = await context.newPage();
      await tab.goto(base + path);
      await live(tab);
      tabs.push(tab);
    }
    const cdp = await context.browser().newBrowserCDPSession();
    const workers = (await cdp.send("Target.getTargets")).targetInfos.filter((t) => t.type === "shared_worker");
    await cdp.detach();
    check(workers.length === 1, `${workers.length} workers hold a stream: ${JSON.stringify(workers)}`);
    for (const tab of tabs) check(await tab.evaluate(() => performance.getEntriesByType("resource").every((r) => !/\/stream/.test(r.name))), "a tab has a stream of its own");
    const columns = await tabs[0].locator(".grid-run").count();
    const [newest] = await tabs[0].locator(".grid-run a").evaluateAll((list) => [list.at(-1).getAttribute("href")]);
    await busy(1);
    await until(tabs[0], "another column", ([n, old]) => document.querySelectorAll(".grid-run").length > n || [...document.querySelectorAll(".grid-run a")].at(-1).getAttribute("href") !== old, [columns, newest]);
    await tabs[1].waitForSelector(".pill");
    for (const tab of tabs) await tab.close();
  }],
  ["a connection that is lost is shown, and comes back with what has happened meanwhile", async () => {
    const held = await trigger("gated", { gate: gate("outage") });
    await task_is("gated", held, "hold", "running");
    await open(run_path("gated", held), ".tasks tbody tr");
    await live();
    await page.evaluate(() => { window.stayed = true; });
    const pid = web_server();
    check(pid > 1, "which process is the web server?");
    process.kill(pid, "SIGKILL");
    await until(page, "that it is lost", () => document.querySelector(".live-live") === null);
    check(await page.locator(".tasks tbody tr").count() === 3, "what was there is gone");
    gate_open("outage");
    await live();
    await until(page, "its end", () => /Succeeded/.test(document.querySelector(".meta .state").textContent));
    check(await page.evaluate(() => window.stayed), "the page was loaded again");
    check(web_server() !== pid, "it was another process that ended");
  }],
];

await walk(cases);
