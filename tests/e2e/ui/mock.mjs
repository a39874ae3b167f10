// SPDX-License-Identifier: Apache-2.0
// The UI in a browser against the mock server: what a person does, on every page.
import { spawn } from "node:child_process";
import { page_audited } from "./audit.mjs";
import { axe_findings, axe_install, browser_open, check, page_open, PHONE, run_cases, sign_in, until, WIDE } from "./browser.mjs";

const mock = spawn(process.execPath, [new URL("../../../ui/mock/server.mjs", import.meta.url).pathname, "--port", "0", "--pace", "120"], { stdio: ["ignore", "pipe", "inherit"] });
const base = await new Promise((resolve) => mock.stdout.on("data", (d) => resolve(/http:\S+/.exec(String(d))[0])));
const browser = await browser_open();
const { page, defects } = await page_open(browser);
const text = (selector) => page.locator(selector).first().innerText();
const PAST = "scheduled__2026-11-20T06%3A00%3A00%2B00%3A00";
const RUN = `/dags/etl_daily/runs/${PAST}`;
const mapped_run = async () => `/dags/billing_close/runs/${encodeURIComponent(await page.evaluate(async () => (await (await fetch("/api/headrace/v1/ui/dags?dag_id=billing_close&runs=1")).json()).dags[0].runs.id[0]))}`;
const open = async (path, selector) => { await page.goto(base + path); await page.waitForSelector(selector); };

// What only this world has: groups, tasks side by side in every state, thousands of them, months of runs, autoscaling, holders of a
// pool. pages.mjs looks at every page, with what a small system has.
const PAGES = ["/home", "/dags", "/dags/etl_daily", "/dags/etl_daily/graph", "/dags/etl_daily/gantt", "/dags/etl_daily/calendar", "/dags/etl_daily/trends", "/dags/etl_daily/versions", "/dags/shard_rebuild", RUN, `${RUN}/graph`, `${RUN}/diff`, `${RUN}/tasks/load`, `${RUN}/tasks/load/attempts?compare=1,3`, `${RUN}/tasks/quality/xcom`, `${RUN}/tasks/load/resources`, "/workers?worker=w-1", "/assets?asset=orders_clean", "/dag_runs", "/task_instances", "/task_instances?pool=warehouse&duration=nonsense", "/pools?open=default_pool", "/queues/default"];
// And what a click opens upon them.
const OPENED = [
  [`${RUN}/gantt`, async (page) => { await page.click("button[aria-label^='Log of load,']"); await page.waitForSelector(".log-tail pre"); }],
  ["/task_instances", async (page) => { await page.click("input[aria-label=Filter]"); await page.waitForSelector(".filter-line [role=option]"); }],
  ["/task_instances?state=failed", async (page) => { await page.click("button[aria-label=Views]"); await page.click(".menu button:has-text('Manage views')"); await page.waitForSelector("dialog tbody tr"); }],
];

async function pages_audited(left, findings) {
  const { context, page, defects } = await page_open(browser, { csp: false });
  await axe_install(page);
  await page.goto(base + "/");
  await page.waitForSelector("#username");
  findings.push(...(await axe_findings(page)).map((f) => `sign-in: ${f}`));
  await sign_in(page, base, "admin", "headrace");
  for (let next = left.shift(); next; next = left.shift()) await page_audited(page, base, next[0], findings, next[1]);
  findings.push(...defects);
  await context.close();
}

/* Holds the mock's runs still at a moment for which `probe`, a question to the server, has an answer; gives it. A run of the
   slowest DAG takes a minute, so every moment of a run comes by within three. */
async function held_at(what, probe) {
  const told = (verb) => fetch(`${base}/mock/${verb}`);
  for (const limit = Date.now() + 180_000; Date.now() < limit;) {
    await told("hold");
    const answer = await page.evaluate(probe).catch(() => null); // a request of the page may be lost on the way: asked again
    if (answer) return answer;
    await told("go");
  }
  throw new Error(`${what}: there never was any`);
}

const let_go = () => page.evaluate(() => fetch("/mock/go"));

const cases = [
  ["a wrong password is refused in words, the right one opens the page", async () => {
    await page.goto(base + "/");
    await page.fill("#username", "admin");
    await page.fill("#password", "wrong");
    await page.click("button:has-text('Sign in')");
    check((await text("[role=alert]")).includes("wrong"), "no word about the wrong password");
    await sign_in(page, base, "admin", "headrace");
  }],
  ["home says how it is, what runs, and which file is broken", async () => {
    await open("/home", ".health");
    check(/Scheduler/.test(await text(".health")), "no health");
    check(await page.locator("h2:has-text('Running now')").count() === 1, "no running panel");
    check(/w-1.*node-3/s.test(await text(".panel:has(h2:text-is('Workers'))")), "no worker with its host");
    await until(page, "a lane for each DAG that ran", () => document.querySelectorAll(".lane").length >= 4 && document.querySelectorAll(".lane-bar").length > 20);
    check(await page.locator(".lane .lane-next").count() > 0, "nothing is planned");
    const lane = page.locator(".lane[aria-label^='platform_health:']");
    check(/^platform_health: \d+ runs?, .*next in /.test(await lane.getAttribute("aria-label")), await lane.getAttribute("aria-label"));
    await lane.locator(".lane-bar").first().click();
    await page.waitForURL(/\/dags\/platform_health\/runs\/./);
    await open("/home", ".health");
    await page.waitForSelector(".panel:has(h2:text('Queue default')) .uplot");
    check((await page.locator(".import-error").allInnerTexts()).join().includes("Did you mean 'retries'?"), "no advice at the import error");
    await until(page, "the stream is live", () => document.querySelector(".live-live") !== null);
  }],
  ["a DAG that runs is among the lanes that are shown, whatever failed before it", async () => {
    const quiet = Array.from({ length: 12 }, (_, n) => ({ dag_id: `failed_${n}`, next: null, open: 0, failed: 1, runs: { id: ["x"], state: "f", start: [1], end: [2] } }));
    await page.route("**/ui/lanes*", async (route) => {
      const body = await (await route.fetch()).json();
      const [running] = body.lanes.filter((l) => l.dag_id === "platform_health").map((l) => ({ ...l, dag_id: "runs_now", open: 1, runs: { id: ["now"], state: "r", start: [body.now - 5000], end: [null] } }));
      await route.fulfill({ json: { ...body, dags: 13, lanes: [...quiet, running] } });
    });
    await open("/home", ".lane");
    await until(page, "it is first", () => document.querySelector(".lane").getAttribute("aria-label").startsWith("runs_now:"));
    await page.unroute("**/ui/lanes*");
  }],
  ["what a page asks for first is asked for before its scripts are read, and is what it takes", async () => {
    const asked = page.waitForRequest((request) => request.url().includes("/ui/grid/etl_daily/cells"));
    await page.route("**/assets/index-*.js", async (route) => { await asked; await route.continue(); }, { times: 1 });
    await open("/dags/etl_daily", ".grid-row .cell");
    await page.unroute("**/assets/index-*.js");
    const mapped = await mapped_run();
    for (const path of ["/home", "/dags?q=etl&show=active", "/dags/etl_daily", "/dags/etl_daily/graph?run_limit=10", RUN, `${RUN}/gantt`, `${RUN}/tasks/load`, `${mapped}/tasks/usage`, `${RUN}/tasks/load/attempts`]) {
      await page.goto(base + path);
      // The instances of a task are asked for before it is known whether it has any, and its log before it is known that it has instances.
      await until(page, `${path} has taken all of it`, () => window.headrace_asked && [...window.headrace_asked.keys()].every((url) => /\/ui\/mapped\/.*\/load\?|\/ui\/log\/.*\/usage\//.test(url)) && !document.querySelector(".skeleton"));
    }
  }],
  ["a page whose answers come before its scripts is drawn with them: nothing is asked twice, and no skeleton is seen", async () => {
    const answered = page.waitForResponse((response) => response.url().includes("/ui/dags"));
    await page.route("**/assets/index-*.js", async (route) => { await answered; await route.continue(); }, { times: 1 });
    await page.addInitScript(() => new MutationObserver(() => { window.skeleton_seen ||= document.querySelector("main .skeleton") !== null; }).observe(document, { childList: true, subtree: true }));
    await open("/dags?sort=dag_id", ".dags tbody tr");
    await page.unroute("**/assets/index-*.js");
    const [seen, asked] = await page.evaluate(() => [window.skeleton_seen, performance.getEntriesByType("resource").filter((r) => /\/(me|ui\/dags\?.*)$/.test(r.name)).map((r) => r.name)]);
    check(!seen && asked.length === 2, `a skeleton: ${seen}; asked: ${asked.join(" ")}`);
  }],
  ["where the nodes of a graph stand outlives a reload, for the files that have laid it out", async () => {
    await open("/dags/etl_daily/graph", ".react-flow__node .node");
    const stored = () => JSON.parse(localStorage.getItem("headrace.layouts") ?? "null");
    await until(page, "it is kept", stored);
    const before = await page.evaluate(() => [...document.querySelectorAll(".react-flow__node")].map((node) => node.style.transform).join());
    await page.reload();
    await until(page, "the same places", (wanted) => [...document.querySelectorAll(".react-flow__node")].map((node) => node.style.transform).join() === wanted, before);
    await page.evaluate(() => localStorage.setItem("headrace.layouts", JSON.stringify({ made_by: "other files", layouts: [1] })));
    await open("/dags/etl_daily/graph", ".react-flow__node .node");
  }],
  ["the list of DAGs filters while typing, and keeps the filter in the address", async () => {
    await open("/dags", ".dags tbody tr");
    await page.fill("main input[type=search]", "ranking");
    await until(page, "one row", () => document.querySelectorAll(".dags tbody tr").length === 1);
    check(page.url().includes("q=ranking"), "the filter is not in the address");
    await page.reload();
    await until(page, "one row after reload", () => document.querySelectorAll(".dags tbody tr").length === 1);
  }],
  ["the list of DAGs is filtered by owner and tag, and put into another order", async () => {
    await open("/dags", ".dags tbody tr");
    await page.selectOption("select[aria-label=Owner]", "platform");
    await until(page, "what platform owns", () => [...document.querySelectorAll(".dags tbody tr")].every((r) => r.textContent.includes("platform")));
    await page.selectOption("select[aria-label=Tag]", "large");
    await until(page, "one row", () => document.querySelectorAll(".dags tbody tr").length === 1);
    await open("/dags?sort=dag_id", ".dags tbody tr");
    const names = await page.locator(".dags .cell-name .strong").allInnerTexts();
    check(names.join() === [...names].sort().join(), `not by name: ${names}`);
  }],
  ["an import error shows file, line, column, message, advice and the lines", async () => {
    await open("/dags", ".import-fold");
    await page.click(".import-fold summary");
    const shown = await text(".import-fold");
    for (const part of ["finance/refunds.yaml:12:5", "unknown key 'retrys'", "Did you mean 'retries'?", "retrys: 3", "Version 4"]) check(shown.includes(part), `no ${part}`);
  }],
  ["pausing is done at once and can be undone", async () => {
    await open("/dags?q=platform_health", ".dags tbody tr");
    const control = page.locator(".switch").first();
    await control.click();
    await until(page, "paused", () => document.querySelector(".switch").getAttribute("aria-checked") === "false");
    await page.click(".toast button:has-text('Undo')");
    await until(page, "active again", () => document.querySelector(".switch").getAttribute("aria-checked") === "true");
  }],
  ["the trigger form comes from the params, says what does not fit, and opens the new run", async () => {
    await open("/dags/feedback_daily", "[role=treegrid]");
    await page.keyboard.press("t");
    await page.waitForSelector("#param-limit");
    check(await page.locator("#param-region option").count() === 3, "no choice of region");
    await page.fill("#param-limit", "1000000");
    check((await text("#param-limit-problem")).includes("At most 100000"), "no word about the limit");
    await page.fill("#param-limit", "50");
    await page.click("dialog button:has-text('Trigger run')");
    await page.waitForSelector(".tasks tbody tr");
    check(page.url().includes("/dags/feedback_daily/runs/manual__"), "not on the new run's page");
  }],
  ["a run goes to its end on the page without a reload", async () => {
    await open("/dags/inventory_sync", "[role=treegrid]");
    await page.keyboard.press("t");
    await page.click("dialog button:has-text('Trigger run')");
    await page.waitForSelector(".tasks tbody tr");
    await page.evaluate(() => (window.stayed = true));
    await until(page, "the run ended", () => /Succeeded|Failed/.test(document.querySelector(".meta .state")?.textContent ?? ""));
    check(await page.evaluate(() => window.stayed === true), "the page was loaded again");
    check(/^[✓✕] /.test(await page.title()), "the title does not tell the state");
  }],
  ["the grid is walked by keyboard to the next failed cell, and tells about it", async () => {
    await open("/dags/etl_daily", ".grid-row .cell");
    await page.locator(".grid-canvas [tabindex='0']").first().focus();
    await page.keyboard.press("End");
    await page.keyboard.press("n");
    const label = await page.evaluate(() => document.activeElement.getAttribute("aria-label"));
    check(/, Failed/.test(label), `not on a failed cell: ${label}`);
    await until(page, "details of the cell", () => /Failed/.test(document.querySelector(".side")?.textContent ?? ""));
    await page.keyboard.press("Enter");
    await page.waitForSelector(".log-line");
    check(/\/tasks\//.test(page.url()), "Enter did not open the task");
  }],
  ["a group folds, and a filter keeps what fits", async () => {
    await open("/dags/etl_daily", ".grid-row");
    const rows = () => page.locator(".grid-row:visible").count();
    const before = await rows();
    await page.locator(".grid-name.group").first().click();
    await until(page, "fewer rows", (n) => [...document.querySelectorAll(".grid-row")].filter((r) => r.style.display !== "none").length < n, before);
    await page.fill("main input[type=search]", "load");
    await until(page, "only load", () => [...document.querySelectorAll(".grid-row")].filter((r) => r.style.display !== "none").length === 1);
  }],
  ["a grid of 2 002 tasks stays small in the document and scrolls", async () => {
    await open("/dags/shard_rebuild?q=shard", ".grid-row");
    const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
    check(nodes < 4000, `${nodes} elements`);
    const first = await text(".grid-row .clip");
    await page.evaluate(() => { document.querySelector(".grid").scrollTop = 20_000; });
    await until(page, "other rows", (t) => ![...document.querySelectorAll(".grid-row")].some((r) => r.style.display !== "none" && r.querySelector(".clip").textContent === t), first);
  }],
  ["the graph shows every task, follows the states, and opens a task", async () => {
    await open(`${RUN}/graph`, ".react-flow__node");
    check(await page.locator(".react-flow__node .node").count() === 14, "not 14 tasks");
    check(await page.locator(".react-flow__node .box").count() === 2, "not 2 groups");
    check(await page.locator(".node.st-failed").count() === 1, "the failed one is not shown");
    await page.locator(".react-flow__node", { hasText: "load" }).first().click();
    await page.waitForSelector(".log-line");
  }],
  ["a graph too large is folded, and a group opens", async () => {
    await open("/dags/shard_rebuild/graph", ".react-flow__node");
    check(await page.locator(".react-flow__node .folded").count() > 10, "groups are not folded");
    const node = page.locator(".react-flow__node", { hasText: "region_00" }).first();
    await node.click();
    await until(page, "its tasks", () => document.querySelector(".react-flow__node .box") !== null);
  }],
  ["the timeline has a bar per task and marks the critical path", async () => {
    await open(`${RUN}/gantt`, ".gantt-bar");
    check(await page.locator(".gantt-bar").count() === 11, "not a bar for each task that ran");
    await page.click("text=Critical path");
    check(await page.locator(".gantt-bar.critical").count() >= 3, "no critical path");
  }],
  ["a bar of the timeline opens the end of its attempt's log, by pointer and by keyboard, on the page of a run and on that of its DAG", async () => {
    await open(`${RUN}/gantt`, ".gantt-bar");
    const bar = page.locator("button[aria-label^='Log of load,']");
    await bar.click();
    await until(page, "its last lines", () => /exit code 1/.test(document.querySelector(".log-tail pre")?.textContent ?? ""));
    check(await bar.getAttribute("aria-expanded") === "true" && await page.locator(".log-tail pre > div").count() <= 20, "not 20 lines at most");
    await page.click(".gantt-detail button:has-text('Try 1')");
    await page.waitForSelector("section[aria-label='Log of load, try 1'] pre");
    await bar.focus();
    await page.keyboard.press("Enter");
    await until(page, "it is closed", () => !document.querySelector(".gantt-detail"));
    await open(`/dags/etl_daily/gantt?run=${PAST}`, "[aria-label='Timeline of the tasks'] .gantt-bar");
    await bar.focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector(".log-tail pre");
    await page.click(".log-tail a:has-text('Open the log')");
    await page.waitForSelector(".log-line");
    check(/\/tasks\/load\?try=\d/.test(page.url()), page.url());
  }],
  ["a backfill counts all its runs, also those that are not named", async () => {
    await open("/dags/inventory_sync/backfills", "button:has-text('New backfill')");
    await page.click("button:has-text('New backfill')");
    await page.fill("#bf-from", "2025-01-01");
    await page.fill("#bf-to", "2025-12-31");
    await page.click("dialog button:has-text('Show what it would do')");
    await page.waitForSelector("dialog button:has-text('Create 365 runs')");
    check((await page.locator("dialog .ti-list li").last().innerText()) === "and 265 more", await page.locator("dialog .ti-list li").last().innerText());
  }],
  ["the last runs of a DAG stand one under the other, and the tasks of the one that is chosen below", async () => {
    await open("/dags/etl_daily/gantt", "[aria-label='Timeline of the runs'] .gantt-row");
    check(await page.locator("[aria-label='Timeline of the runs'] .gantt-bar").count() >= 20, "not a bar for each run");
    await page.click(`[aria-label='Timeline of the runs'] a[href$='run=${PAST}']`);
    await until(page, "its tasks", () => document.querySelectorAll("[aria-label='Timeline of the tasks'] .gantt-row").length >= 11);
    check(page.url().includes(`run=${PAST}`), "the run is not in the address");
    check((await page.getAttribute("[aria-label='Timeline of the runs'] [aria-current]", "href")).endsWith(`run=${PAST}`), "the run is not marked");
    check(await text("[aria-label='Timeline of the runs'] [aria-current] .clip") === "2026-11-20 07:00", "not named by when it was due");
  }],
  ["a run is compared with the last good one", async () => {
    await open(`${RUN}/diff`, "text=Compared with");
    check((await text("main")).includes("load"), "the failed task is not among the differences");
  }],
  ["a failed task shows its error, its tries, and the log at its end", async () => {
    await open(`${RUN}/tasks/load`, ".log-line");
    check((await text(".note.bad")).length > 5, "no error");
    check(await page.locator("[aria-label=Tries] .chip").count() === 3, "not three tries");
    check((await page.locator(".log-text").allInnerTexts()).join("").includes("KeyError"), "the end of the log is not shown");
    await page.click(".chip:has-text('Try 1')");
    await until(page, "the first try's log", () => /try 1 started|exit code 1/.test(document.querySelector(".log-scroll")?.textContent ?? ""));
  }],
  ["the logs of two tries stand side by side: what is the same is folded, each line is a link, the address says which", async () => {
    await open(`${RUN}/tasks/load`, "[aria-label=Tries] .chip");
    await page.click("a:has-text('Compare with try 2')");
    await page.waitForSelector(".compare-block.other");
    check(decodeURIComponent(page.url()).endsWith("/attempts?compare=2,3"), page.url());
    await page.selectOption("select[aria-label='One try']", "1");
    await until(page, "the other two", () => /Log of try 1 and of try 3/.test(document.querySelector("main").innerText) && document.querySelector(".compare-block.other"));
    check(decodeURIComponent(page.url()).endsWith("?compare=1,3"), page.url());
    const shown = await page.locator(".compare-block.other").first().innerText();
    check(/try 1 started/.test(shown) && /try 3 started/.test(shown), shown);
    await page.click("button:has-text('First difference')");
    await until(page, "it is counted", () => document.querySelector(".panel header [role=status]")?.textContent.startsWith("1 of "));
    const [left, right] = await page.locator(".compare-block.other").first().evaluate((block) => ["before", "after"].map((side) => block.querySelector(`.${side}`).getBoundingClientRect().toJSON()));
    check(right.left >= left.right && right.top === left.top, "not side by side");
    await page.setViewportSize(PHONE);
    const [above, below] = await page.locator(".compare-block.other").first().evaluate((block) => ["before", "after"].map((side) => block.querySelector(`.${side}`).getBoundingClientRect().toJSON()));
    check(below.top >= above.bottom && below.left === above.left, "not below each other on a phone");
    await page.setViewportSize(WIDE);
    await page.click(".compare-block.other .after .log-n");
    await page.waitForSelector(".log-line.marked");
    check(/\?try=3#L1$/.test(page.url()) && /try 3 started/.test(await text(".log-line.marked")), `not led to its line: ${page.url()}`);
    await open(`${RUN}/tasks/load/attempts?compare=2,9`, "main [role=alert]");
    check(/there are 1, 2, 3/.test(await text("main [role=alert]")), "not said which tries there are");
  }],
  ["a log of 250 000 lines is found in, linked into and scrolled at once", async () => {
    await open(`${RUN}/tasks/quality#L120000`, ".log-line.marked");
    check((await text(".log-line.marked .log-n")) === "120000", "the link did not lead to its line");
    await page.fill(".log-find", "249999");
    await page.keyboard.press("Enter");
    await until(page, "the line found", () => /249999/.test(document.querySelector(".log-line.marked")?.textContent ?? ""));
    check((await text(".log [role=status]")).startsWith("1 of"), "no count of matches");
    await page.focus(".log-scroll");
    await page.keyboard.press("Home");
    await until(page, "the first line", () => /started on/.test(document.querySelector(".log-window")?.textContent ?? ""));
    check(await page.locator(".log-line").count() < 120, "too many lines in the document");
  }],
  ["lines of one level are shown with their own numbers, in the address too, and the first error is found among all", async () => {
    await open(`${RUN}/tasks/quality`, ".log-levels .chip");
    await until(page, "all are counted", () => document.querySelector(".l-warning .num")?.textContent.replace(/\D/g, "") === "41667");
    await page.click(".chip.l-warning");
    await until(page, "warnings alone", () => { const lines = [...document.querySelectorAll(".log-line")]; return lines.length > 10 && lines.every((l) => /WARNING/.test(l.textContent)); });
    const numbers = (await page.locator(".log-n").allInnerTexts()).map(Number);
    check(numbers.every((n, i) => i === 0 || n === numbers[i - 1] + 6), `not every sixth line: ${numbers}`);
    check(page.url().includes("level=warning"), "the level is not in the address");
    await until(page, "the word that these are not all", () => /first 20/.test(document.querySelector(".log-bar").textContent));
    await open(`${RUN}/tasks/load?level=error`, ".log-line");
    await until(page, "the traceback", () => /Traceback/.test(document.querySelector(".log-line")?.textContent ?? ""));
    const first = await text(".log-n");
    await page.click(".chip.l-error");
    await until(page, "all lines", () => /Other/.test(document.querySelector(".log-levels").textContent) && document.querySelectorAll(".log-line").length > 4);
    await page.focus(".log-scroll");
    await page.keyboard.press("Home");
    await page.keyboard.press("e");
    await page.waitForSelector(".log-line.marked");
    check((await text(".log-line.marked .log-n")) === first, `the first error is not line ${first}`);
  }],
  ["the log of a running task is followed, to its end", async () => {
    const link = await held_at("a running task", async () => {
      const t = (await (await fetch("/api/headrace/v1/ui/tasks?state=running")).json()).tasks.find((t) => !["validate", "quality"].includes(t.task_id) && t.map_index < 0);
      return t && `/dags/${t.dag_id}/runs/${encodeURIComponent(t.run_id)}/tasks/${t.task_id}`;
    });
    await page.goto(base + link);
    await page.waitForSelector(".log-line");
    const last = await page.evaluate(() => Number([...document.querySelectorAll(".log-n")].at(-1).textContent));
    await until(page, "more lines", (n) => Number([...document.querySelectorAll(".log-n")].at(-1).textContent) > n, last);
    await let_go();
    await until(page, "its last lines, behind which there is nothing to follow", () => !document.querySelector(".log-bar .live-dot") && ![...document.querySelectorAll(".log-text")].some((l) => l.textContent.trim() === "…"));
  }],
  ["the last lines of a task that has just ended come by themselves", async () => {
    const link = await held_at("a task that has just ended", async () => {
      const { now, tasks } = await (await fetch("/api/headrace/v1/ui/tasks?state=success,failed")).json();
      const t = tasks.find((t) => t.map_index < 0 && t.end && now - t.end < 1000 && !["validate", "quality"].includes(t.task_id));
      if (!t) return false;
      const of = `${t.dag_id}/${encodeURIComponent(t.run_id)}/${t.task_id}`;
      const { is_mapped, tries } = await (await fetch(`/api/headrace/v1/ui/task/${of}/-1`)).json();
      return !is_mapped && tries.at(-1)?.start && `/dags/${t.dag_id}/runs/${encodeURIComponent(t.run_id)}/tasks/${t.task_id}`;
    });
    try {
      await page.goto(base + link);
      await page.waitForSelector(".log-bar .live-dot", { timeout: 60_000 }); // they are still on their way
    } finally {
      await let_go();
    }
    await until(page, "its last line", () => !document.querySelector(".log-bar .live-dot") && /exit code/.test([...document.querySelectorAll(".log-text")].at(-1)?.textContent ?? ""));
  }],
  ["a waiting task says why, with a link to what blocks it", async () => {
    await open("/dags/model_training", "[role=treegrid]");
    const run = await held_at("a run with a task that waits", async () => {
      const ask = async (path) => (await fetch(`/api/headrace/v1/ui/${path}`)).json();
      const id = (await ask("dags?dag_id=model_training&runs=1")).dags[0].runs.id[0];
      return (await ask(`run/model_training/${encodeURIComponent(id)}`)).st.endsWith(".") && id;
    });
    await page.goto(`${base}/dags/model_training/runs/${encodeURIComponent(run)}/tasks/notify_team`);
    await page.waitForSelector(".why");
    check(/Waiting for/.test(await text(".why")), "no sentence");
    check(await page.locator(".why a").count() >= 1, "no link to what blocks");
    await let_go();
  }],
  ["clearing shows first what it will do, then does it", async () => {
    await open(`${RUN}/tasks/load`, ".log-line");
    await page.keyboard.press("c");
    await page.waitForSelector("dialog .ti-list li");
    const count = await page.locator("dialog .ti-list li").count();
    check(count === 5, `${count} tasks in the preview, not load and the four after it`);
    await page.click(`dialog button:has-text('Clear ${count} tasks')`);
    await until(page, "the new state", () => !/Failed/.test(document.querySelector(".meta .state")?.textContent ?? "Failed"));
  }],
  ["marking needs a choice and changes the state", async () => {
    await open("/dags/etl_daily/runs/scheduled__2026-11-13T06%3A00%3A00%2B00%3A00/tasks/load", "main h1");
    await page.keyboard.press("m");
    await page.waitForSelector("dialog");
    await page.click("dialog label:has-text('Skipped')");
    await page.waitForSelector("dialog .ti-list li");
    await page.click("dialog button:has-text('Mark 1 task')");
    await until(page, "skipped", () => /Skipped/.test(document.querySelector(".meta .state")?.textContent ?? ""));
  }],
  ["memory that grows run by run says when it meets its limit, and a run of the chart is opened", async () => {
    await open(`${RUN}/tasks/load/resources`, ".uplot");
    await page.waitForSelector("[aria-label=Tries] tbody tr");
    check(/Its memory grows: .* it meets its limit of 512 MB in about \d+ runs, and is killed/.test(await text(".note.warn:has-text('memory')")), await text("main")); // it may wait by now, and say why, too
    await page.locator("[aria-label='Peak memory by run'] button:has-text('Table')").click();
    check((await page.locator("[aria-label='Peak memory by run'] .chart-table tbody tr").allInnerTexts()).some((row) => /MB.*512 MB/s.test(row)), "no memory beside its limit");
    // A chart that was drawn anew just then knows of no pointer until it moves: as a hand would, once more.
    const is_older = () => location.pathname.endsWith("/tasks/load/resources") && !location.pathname.includes("scheduled__2026-11-20");
    for (const deadline = Date.now() + 120_000; !(await page.evaluate(is_older)); ) {
      await page.locator("[aria-label='CPU time and duration by run'] .u-over").click({ position: { x: 4, y: 20 } });
      await page.waitForFunction(is_older, undefined, { timeout: 5000 }).catch(() => check(Date.now() < deadline, "a click on the chart opens no run"));
    }
    await open("/dags/etl_daily/runs/scheduled__2026-11-20T06%3A00%3A00%2B00%3A00/tasks/quality/resources", ".uplot");
    check(await page.locator(".note:has-text('memory')").count() === 0, "steady memory is said to grow");
  }],
  ["a worker is drained and comes back", async () => {
    await open("/workers", "tbody tr");
    await page.locator("tr:has-text('w-1') button:has-text('Drain')").click();
    await page.fill("#drain-reason", "new kernel");
    await page.click("dialog button:has-text('Drain w-1')");
    await until(page, "draining", () => [...document.querySelectorAll("tbody tr")].some((r) => /w-1/.test(r.textContent) && /Draining/.test(r.textContent) && /new kernel/.test(r.textContent)));
    await page.locator("tr:has-text('w-1') button:has-text('Resume')").click();
    await until(page, "present", () => [...document.querySelectorAll("tbody tr")].some((r) => /w-1/.test(r.textContent) && /Present/.test(r.textContent)));
  }],
  ["the autoscaling chart says why, and can be read as a table", async () => {
    await open("/workers", ".uplot");
    check(/tasks want slots/.test(await text(".scale-events")), "no reasons");
    await page.click(".chart button:has-text('Table')");
    await page.waitForSelector(".chart-table tbody tr");
  }],
  ["a broken stream comes back and misses nothing", async () => {
    await open("/home", ".live-live");
    await page.evaluate(() => fetch("/mock/drop"));
    await until(page, "the break is shown", () => document.querySelector(".live-live") === null);
    await until(page, "live again", () => document.querySelector(".live-live") !== null);
    const before = await text(".running-span").catch(() => "");
    await page.goto(`${base}/dags/inventory_sync`);
    await page.waitForSelector("[role=treegrid]");
    await page.keyboard.press("t");
    await page.click("dialog button:has-text('Trigger run')");
    await page.waitForSelector(".tasks tbody tr");
    await until(page, "the run moves on", () => /Succeeded|Failed/.test(document.querySelector(".tasks tbody")?.textContent ?? ""));
    check(before !== undefined, "");
  }],
  ["a mapped task shows all its instances, and those of one state", async () => {
    await open(`${await mapped_run()}/tasks/usage`, ".map canvas");
    check(/000 instances/.test((await text("main")).replace(/\u2009/g, "")), "no count");
    await page.fill("main input[type=search]", "orders-0042");
    await until(page, "one instance", () => document.querySelectorAll("tbody tr").length === 1);
    await page.click("tbody a");
    await page.waitForSelector("h1:has-text('usage[42]')");
  }],
  ["the palette finds a task and a command", async () => {
    await open("/home", ".health");
    await page.keyboard.press("Control+k");
    await page.waitForSelector(".palette input");
    await page.keyboard.type("dedupe");
    await until(page, "the task", () => /dedupe/.test(document.querySelector("#palette-list li[aria-selected=true]")?.textContent ?? "") && /task of/.test(document.querySelector("#palette-list").textContent));
    await page.keyboard.press("Enter");
    await until(page, "the task's page", () => location.pathname.includes("transform.dedupe"));
  }],
  ["the palette says a command to a DAG: trigger opens its form, clear the dialog of its last run, pause can be undone", async () => {
    const say = async (words, found) => {
      await page.keyboard.press("Control+k");
      await page.waitForSelector(".palette input");
      await page.keyboard.type(words);
      await until(page, found, (f) => document.querySelector("#palette-list li[aria-selected=true]")?.textContent.startsWith(f), found);
      await page.keyboard.press("Enter");
    };
    await open("/home", ".health");
    await say("trigger feedback", "Trigger feedback_daily");
    await page.waitForSelector("dialog #param-limit");
    check(page.url().endsWith("/dags/feedback_daily?do=trigger"), `the dialog is not in the address: ${page.url()}`);
    await page.keyboard.press("Escape");
    await until(page, "closed, and out of the address", () => !document.querySelector("dialog") && !location.search);
    await say("clear feedback", "Clear feedback_daily");
    await page.waitForSelector("dialog:has-text('Clear tasks of this run')");
    await page.keyboard.press("Escape");
    await say("pause platform", "Pause platform_health");
    await page.click(".toast button:has-text('Undo')");
    const paused = () => page.evaluate(async () => (await (await fetch("/api/headrace/v1/ui/dags?dag_id=platform_health&runs=1")).json()).dags[0].is_paused);
    for (const limit = Date.now() + 150_000; await paused();) check(Date.now() < limit, "it stays paused");
  }],
  ["the line of text and the chips of a list are one filter; what cannot be understood is said and changes nothing", async () => {
    await open("/task_instances?state=failed&range=7d", "tbody tr");
    const line = page.locator("input[aria-label=Filter]");
    check((await line.inputValue()) === "state:failed ended:-7d", await line.inputValue());
    await line.fill("state:failed dag:etl_* duration:>1s");
    await until(page, "the address and the chips", () => /dag_id=etl_\*/.test(decodeURIComponent(location.search)) && !/range/.test(location.search) && [...document.querySelectorAll(".chip")].some((c) => c.textContent === "dag etl_* ✕"));
    await until(page, "what it finds", () => { const rows = [...document.querySelectorAll("tbody tr")]; return rows.length > 0 && rows.every((r) => /etl_daily/.test(r.textContent) && /Failed/.test(r.textContent)); });
    await page.click(".chip:has-text('Running')");
    await page.click(".chip:has-text('duration')");
    await until(page, "the line follows", () => document.querySelector("input[aria-label=Filter]").value === "state:failed,running dag:etl_*");
    const before = page.url();
    await line.fill("state:failed colour:red ");
    await until(page, "what is wrong", () => /colour:red: There is no key colour/.test(document.querySelector(".filter-problems")?.innerText ?? ""));
    check(await line.getAttribute("aria-invalid") === "true" && page.url() === before, "it was taken as it is");
    await line.fill("");
    await page.keyboard.type("st");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.keyboard.type("up");
    await page.keyboard.press("ArrowDown");
    await until(page, "the option is named", () => { const input = document.querySelector("input[aria-label=Filter]"); return document.getElementById(input.getAttribute("aria-activedescendant"))?.textContent === "upstream_failed"; });
    await page.keyboard.press("Enter");
    check((await line.inputValue()) === "state:upstream_failed " && /state=upstream_failed/.test(page.url()), `${await line.inputValue()} ${page.url()}`);
    await page.keyboard.press("Escape");
    check(await page.locator(".filter-line [role=listbox]").count() === 0, "the list stays open");
    await page.locator("main h1").click();
    await page.keyboard.press("/");
    check(await line.evaluate((input) => input === document.activeElement), "the key / does not lead to it");
  }],
  ["a filter is saved as a view, picked, renamed, made what the list opens with, and deleted", async () => {
    const menu = ".menu-anchor:has(.view-name) > button";
    const line = () => page.locator("input[aria-label=Filter]").inputValue();
    const says = (what, words) => until(page, what, (w) => document.querySelector("input[aria-label=Filter]").value === w, words);
    await open("/task_instances", "tbody tr");
    await page.click(menu);
    await page.click(".menu button:has-text('retried today')");
    await says("the view is picked", "try:>1");
    check((await text(".view-name")) === "retried today" && /try=%3E1/.test(page.url()), page.url());
    await page.fill("input[aria-label=Filter]", "state:failed ended:-7d");
    await page.click(menu);
    await page.click(".menu button:has-text('Save this filter')");
    await page.fill("#view-name", "failed this week");
    await page.click("dialog label:has-text('whenever I open') input");
    await page.click("dialog footer .primary");
    await until(page, "it has its name", () => document.querySelector(".view-name").textContent === "failed this week");
    await page.click("header.topbar a:text-is('Runs')");
    await page.waitForURL(/dag_runs$/);
    await page.click("header.topbar a:text-is('Tasks')");
    await says("the default when the list is opened", "state:failed ended:-7d");
    await page.click("button:has-text('Clear filters')");
    await until(page, "all again", () => document.querySelector("input[aria-label=Filter]").value === "" && !location.search && [...document.querySelectorAll("tbody tr")].some((r) => /Succeeded/.test(r.textContent)));
    await page.click(menu);
    await page.click(".menu button:has-text('Manage views')");
    await page.fill("input[aria-label='Name of failed this week']", "retried today");
    await page.keyboard.press("Enter");
    await until(page, "the name is taken", () => /choose another name/.test(document.querySelector(".toasts").textContent));
    await page.fill("input[aria-label='Name of failed this week']", "the week");
    await page.click("dialog button:has-text('Rename')");
    await page.waitForSelector("input[aria-label='Name of the week']");
    await page.click("button[aria-label='Delete the week']");
    await until(page, "it is gone", () => document.querySelectorAll("dialog tbody tr").length === 1);
    await page.click("dialog footer button");
    await open("/home", ".health");
    await open("/task_instances", "tbody tr");
    check((await line()) === "", "a view that is gone is shown");
  }],
  ["what the filter finds is acted on at once, also what is not shown, and what was refused is told with its reason", async () => {
    const act = (name) => page.click(`[aria-label='With what is selected'] button:text-is('${name}')`);
    const told = () => text(".bulk [role=status]");
    await open("/dag_runs?q=cleanup_exports&range=all", "tbody tr");
    await page.locator("tbody input[type=checkbox]").first().check();
    await page.click("button:has-text('Select all that match')");
    await page.waitForSelector("b:has-text('that match')");
    const n = Number((await text("b:has-text('that match')")).replace(/\D/g, ""));
    check(n >= 20, `${n} runs match`);
    await act("Stop and mark failed");
    await page.click("dialog footer button.danger");
    await until(page, "the report", () => /\d+ of \d+ done\./.test(document.querySelector(".bulk")?.textContent ?? ""));
    check((await told()) === `${n} of ${n} done.`, await told());
    const failed = await page.evaluate(async () => (await (await fetch("/api/headrace/v1/ui/runs?q=cleanup_exports&state=failed&limit=0")).json()).matches);
    check(failed === n, `${failed} of ${n} are failed`);
    await page.click(".bulk button:has-text('Dismiss')");
    // One that goes on cannot be deleted; the mock holds it there.
    await page.evaluate(async () => {
      const { csrf } = await (await fetch("/api/headrace/v1/me")).json();
      await fetch("/mock/hold");
      await fetch("/api/v2/dags/cleanup_exports/dagRuns", { method: "POST", headers: { "X-Headrace-CSRF": csrf }, body: "{}" });
    });
    await open("/dag_runs?q=cleanup_exports&range=all", "tbody tr:has-text('Running'), tbody tr:has-text('Queued')");
    await page.locator("thead input[type=checkbox]").check();
    const shown = await page.locator("tbody tr[aria-selected=true]").count();
    check(shown === n + 1, `${shown} selected`);
    await page.click("button:has-text('Select none')");
    for (const row of [0, 1, 3, 4]) await page.locator("tbody input[type=checkbox]").nth(row).check();
    await act("Delete");
    check(await page.locator("dialog footer button.danger").isDisabled(), "they can be deleted without a word");
    await page.fill("#bulk-count", "4");
    await page.click("dialog footer button.danger");
    await until(page, "the end", () => /refused/.test(document.querySelector(".bulk [role=status]")?.textContent ?? ""));
    check((await told()) === "3 of 4 done, 1 refused.", await told());
    check(/the run is going on/.test(await text(".bulk-reason summary")), await text(".bulk"));
    await page.click(".bulk-reason summary");
    check(/cleanup_exports/.test(await text(".bulk-reason li a")), "no link to what was refused");
    await page.click(".bulk button:has-text('Dismiss')");
    await let_go();
  }],
  ["an action upon many goes on while other pages are looked at, and is stopped when asked", async () => {
    await open("/task_instances?state=success", "tbody tr");
    await page.locator("tbody input[type=checkbox]").first().check();
    await page.click("button:has-text('Select all that match')");
    await page.waitForSelector("b:has-text('narrow the filter')");
    await open("/task_instances?state=success&q=cleanup_exports", "tbody tr");
    await page.locator("tbody input[type=checkbox]").first().check();
    await page.click("button:has-text('Select all that match')");
    await page.waitForSelector("b:has-text('that match')");
    await page.evaluate(() => fetch("/mock/hold"));
    await page.click("[aria-label='With what is selected'] button:text-is('Mark skipped')");
    await page.click("dialog footer button.primary");
    await page.click(".topbar a:has-text('Home')");
    await page.waitForSelector(".health");
    await until(page, "it goes on", () => /^10 of/.test(document.querySelector(".bulk [role=status]")?.textContent ?? ""));
    await page.click(".bulk button:has-text('Stop')");
    await until(page, "it is stopped", () => /Stopped by you/.test(document.querySelector(".bulk")?.textContent ?? ""));
    check(/^Stopped\. 10 of [\d\s\u2009]+ done/.test(await text(".bulk [role=status]")), await text(".bulk [role=status]"));
    await page.click(".bulk button:has-text('Dismiss')");
    await let_go();
  }],
  ["a pool says who holds its slots, with a link to each", async () => {
    await held_at("a task that runs", async () => (await (await fetch("/api/headrace/v1/ui/tasks?state=running&pool=default_pool")).json()).tasks.length > 0);
    await open("/pools", "tbody tr");
    await page.click("button:has-text('default_pool')");
    await page.waitForSelector(".pool-use .pool-tasks a");
    await until(page, "holders, and who waits", () => /Running/.test(document.querySelector(".pool-use").textContent) && /Wait for a slot/.test(document.querySelector(".pool-use").textContent));
    check(page.url().includes("open=default_pool"), "the pool is not in the address");
    await page.click(".pool-tasks a");
    await until(page, "the task's page", () => location.pathname.includes("/tasks/"));
    await let_go();
  }],
  ["a queue shows what waits in it with its position, why, and that what steps aside has none", async () => {
    await open("/queues/default", "tbody tr");
    const rows = await page.locator("tbody tr").evaluateAll((list) => list.map((r) => [r.cells[0].innerText, r.cells[5].innerText]));
    const positions = rows.map(([position]) => position).filter((p) => p !== "—");
    check(positions.length > 1 && positions.every((p, i) => p === String(i + 1)), positions.join());
    check(rows.every(([position, why]) => (position === "—") === /^steps aside/.test(why)), JSON.stringify(rows));
    await page.click("tbody tr td .strong");
    await until(page, "the task's page", () => location.pathname.includes("/tasks/"));
    await page.click(".tabs a:has-text('Details')");
    await page.click(".facts a:text-is('default')");
    await page.waitForURL(/\/queues\/default$/);
  }],
  ["variables are made, changed and deleted", async () => {
    await open("/variables", "tbody tr");
    await page.click("button:has-text('New variable')");
    await page.fill("#edit-key", "limit");
    await page.fill("#edit-value", "7");
    await page.click("dialog button:has-text('Save variable')");
    await page.waitForSelector("td:has-text('limit')");
    await page.locator("tr:has-text('limit') button:has-text('Delete')").click();
    await page.click("dialog button:has-text('Delete variable')");
    await until(page, "gone", () => ![...document.querySelectorAll("tbody td")].some((d) => d.textContent === "limit"));
  }],
  ["what is kept but not shown stays as it is when nothing is written over it", async () => {
    const saved = async (path, row, one, change) => {
      await open(path, "tbody tr");
      await page.locator(`tr:has-text('${row}') button:has-text('Edit')`).click();
      await page.waitForSelector("dialog .field");
      if (change) await change();
      const [request] = await Promise.all([page.waitForRequest((r) => r.method() === "PATCH"), page.click(`dialog button:has-text('Save ${one}')`)]);
      await until(page, "the dialog is closed", () => !document.querySelector("dialog"));
      return request.postDataJSON();
    };
    const connection = await saved("/connections", "warehouse", "connection", async () => {
      check(await page.inputValue("#edit-password") === "" && await page.inputValue("#edit-extra") === "", "the stars stand in the field");
    });
    check(connection.host === "db.internal" && !("password" in connection) && !("extra" in connection), `sent: ${JSON.stringify(connection)}`);
    check((await saved("/connections", "warehouse", "connection", () => page.fill("#edit-password", "new"))).password === "new", "the new password was not sent");
    const variable = await saved("/variables", "api_token", "variable");
    check(variable.description === "Token of the partner" && !("value" in variable), `sent: ${JSON.stringify(variable)}`);
    check((await saved("/variables", "region", "variable", () => page.fill("#edit-value", ""))).value === "", "a value that is shown cannot be emptied");
  }],
  ["an account is made, changed, disabled and deleted; the last administrator is kept", async () => {
    const act = async (name, what) => { await page.click(`[aria-label='What can be done with ${name}']`); await page.click(`.menu button:has-text('${what}')`); };
    const row = (name, words) => until(page, `${name}: ${words}`, ([n, w]) => [...document.querySelectorAll("tbody tr")].some((r) => r.cells[0].textContent.startsWith(n) && r.textContent.includes(w)), [name, words]);
    await open("/security", "tbody tr");
    await page.click("button:has-text('New user')");
    await page.fill("#user-username", "grace");
    await page.fill("#user-password", "short");
    check(await page.locator("dialog button:has-text('Create user')").isDisabled(), "five letters are enough for a password");
    await page.fill("#user-password", "long enough to keep");
    await page.selectOption("#user-role", "User");
    await page.click("dialog button:has-text('Create user')");
    await row("grace", "User");
    await act("grace", "Change role");
    await page.selectOption("#change-role", "Op");
    await page.click("dialog button:has-text('Change role')");
    await row("grace", "Op");
    await act("grace", "Disable");
    await row("grace", "disabled");
    await act("admin", "Disable");
    await page.waitForSelector(".toast:has-text('admin is the last administrator')");
    await page.click(".toast button[aria-label=Dismiss]");
    await act("grace", "Delete");
    await page.fill("#delete-user", "grace");
    await page.click("dialog button:has-text('Delete user')");
    await until(page, "gone", () => ![...document.querySelectorAll("tbody tr")].some((r) => r.textContent.startsWith("grace")));
  }],
  ["a grant says to whom, on what and as what, is refused in words, and is taken back", async () => {
    await open("/security/grants", "tbody tr");
    await page.click("button:has-text('New grant')");
    await page.waitForSelector("#grant-to option:text-is('ada')", { state: "attached" });
    await page.selectOption("#grant-to", "ada");
    await page.fill("#grant-dags", "fin*");
    await page.click("dialog button:text-is('Grant')");
    check(/beginning of ids up to/.test(await text("dialog [role=alert]")), "no word about the star");
    await page.fill("#grant-dags", "finance.*");
    await page.click("dialog button:text-is('Grant')");
    await page.waitForSelector("tr:has-text('finance.*')");
    check(/ada.*finance\.\*.*User/s.test(await text("tr:has-text('finance.*')")), await text("tr:has-text('finance.*')"));
    await page.click("[aria-label='Take back User on finance.*']");
    await until(page, "gone", () => !document.querySelector("tbody").textContent.includes("finance.*"));
  }],
  ["a token is made with less than all rights, shown once, and revoked", async () => {
    await page.click("[aria-label='Signed in as admin']");
    await page.click("a:has-text('My account')");
    await page.click("button:has-text('New token')");
    await page.fill("#token-name", "ci");
    await page.selectOption("#token-days", "7");
    await page.click("label:has-text('Only some rights')");
    check(await page.locator("button:has-text('Make token')").isDisabled(), "no right is enough");
    await page.click("label:has-text('runs.trigger')");
    await page.fill("#token-dags", "etl_daily, tag:demo");
    const [request] = await Promise.all([page.waitForRequest((r) => r.method() === "POST"), page.click("button:has-text('Make token')")]);
    check(JSON.stringify(request.postDataJSON()) === JSON.stringify({ name: "ci", expires_in_days: 7, rights: ["runs.trigger"], dags: ["etl_daily", "tag:demo"] }), `sent: ${request.postData()}`);
    check(/^headrace_pat_/.test(await page.inputValue("[aria-label=Token]")), "the token is not shown");
    await page.click("dialog button:has-text('Copy')");
    await page.waitForSelector(".toast:has-text('Token copied')");
    await page.click("button:has-text('I have kept it')");
    check(!(await text("main")).includes("headrace_pat_"), "it is still shown");
    await page.click("[aria-label='Revoke ci']");
    await page.click("dialog button:has-text('Revoke token')");
    await until(page, "gone", () => !document.querySelector("[aria-label='Revoke ci']"));
  }],
  ["where I am signed in is listed, and ended there; my password needs the present one", async () => {
    await open("/account", "td:has-text('Safari on iPhone')");
    check(/this one/.test(await text("tr:has-text('Chrome on Linux')")), "this session is not told from others");
    await page.click("[aria-label='Sign out Safari on iPhone at 10.0.0.9']");
    await until(page, "gone", () => !document.querySelector("main").textContent.includes("iPhone"));
    await page.click("button:has-text('Change password')");
    await page.fill("#password-now", "wrong");
    await page.fill("#password-new", "another one of mine");
    await page.fill("#password-again", "another");
    check(/differ/.test(await text("dialog .problem")), "no word that the two differ");
    await page.fill("#password-again", "another one of mine");
    await page.click("dialog button.primary");
    check(/another one/.test(await text("dialog [role=alert]")), "no word about the present password");
    await page.keyboard.press("Escape");
  }],
  ["a page without changes to follow says that it is idle, not that it connects", async () => {
    await open("/variables", "tbody tr");
    await until(page, "idle", () => document.querySelector(".live-idle") !== null);
    await open("/home", ".live-live");
  }],
  ["a DAG whose file is gone says so, and starts nothing", async () => {
    await open("/dags/retired_export", ".note.bad");
    check(/retired_export\.yaml is gone/.test(await text(".note.bad")), "no hint");
    check(await page.locator(".switch").count() === 0, "it can still be switched on");
    check(await page.locator("button:has-text('Trigger')").isDisabled(), "it can still be triggered");
    await open("/dags?q=retired_export", ".empty");
  }],
  ["tries are counted once, and a skipped task is no success", async () => {
    await open(`${RUN}/tasks/quality`, ".meta .state");
    check(/Try 1 of 3/.test(await text(".meta")), `tries: ${await text(".meta")}`);
    const good = await page.evaluate(async () => (await (await fetch("/api/headrace/v1/ui/runs?state=success&dag_id=etl_daily&limit=1")).json()).runs[0].run_id);
    await open(`/dags/etl_daily/runs/${encodeURIComponent(good)}`, ".progress .meter");
    const label = await page.locator(".progress .meter").getAttribute("aria-label");
    check(/^13 succeeded, 1 skipped, 0 bad, 0 active, 0 to come$/.test(label), label);
    check(await page.locator(".progress .meter .skipped").count() === 1, "skipped looks like succeeded");
  }],
  ["notifications that failed are told on the first page and say why", async () => {
    await open("/home", ".note.bad:has-text('1 notification could not be delivered')");
    await page.click(".note.bad:has-text('could not be delivered') a");
    await until(page, "the one", () => document.querySelectorAll("tbody tr").length === 1);
    check(/no mail server answers/.test(await text("tbody tr")), "no reason");
    await page.click(".chip:has-text('All')");
    await until(page, "all", () => document.querySelectorAll("tbody tr").length === 3);
  }],
  ["an asset names who makes it, whom it starts, and its updates", async () => {
    await open("/assets", "tbody tr");
    check(/load.*etl_daily.*model_training/s.test(await text("tbody tr")), "not its tasks and DAGs");
    await page.click("tbody button:has-text('orders_clean')");
    await until(page, "its updates", () => document.querySelectorAll(".sub li").length === 2 && /told by a user/.test(document.querySelector(".sub").textContent));
    await page.click(".sub a:has-text('load')");
    await until(page, "the task that made it", () => location.pathname.endsWith("/tasks/load"));
  }],
  ["an unknown DAG, run and page say so and lead on", async () => {
    await open("/dags/nothing", ".empty");
    await open("/dags/etl_daily/runs/nothing", ".empty a");
    await open("/nowhere", ".empty a");
  }],
  ["Airflow 2's links lead to the run", async () => {
    await page.goto(`${base}/dags/etl_daily/grid?dag_run_id=${PAST}&task_id=load`);
    await until(page, "the task's page", () => location.pathname.endsWith("/tasks/load"));
  }],
  ["a session that ends asks again over the page, which stays", async () => {
    await open("/dags", ".dags tbody tr");
    await page.context().clearCookies();
    await page.click(".chip:has-text('Active')");
    await page.waitForSelector("dialog #password");
    await page.fill("dialog #password", "headrace");
    await page.click("dialog button:has-text('Sign in')");
    await until(page, "the page goes on", () => !document.querySelector("dialog") && document.querySelectorAll(".dags tbody tr").length > 3);
  }],
  ["axe finds nothing, and nothing is too wide, on any page: light, dark, on a phone", async () => {
    const left = [...PAGES.map((path) => [path]), ...OPENED];
    const findings = [];
    // What is looked at does not change meanwhile, and has several of what may stand side by side.
    await held_at("tasks that run at the same time", async () => {
      const { st } = await (await fetch("/api/headrace/v1/ui/grid/etl_daily/cells?runs=1")).json();
      return st[0].split("r").length > 2;
    });
    await Promise.all([1, 2].map(() => pages_audited(left, findings)));
    await let_go();
    check(!findings.length, findings.slice(0, 40).join("\n    "));
  }],
];

const failed = await run_cases(cases, () => defects.splice(0));
await browser.close();
mock.kill();
process.exit(failed ? 1 : 0);
