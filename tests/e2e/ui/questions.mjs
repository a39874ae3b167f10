// SPDX-License-Identifier: Apache-2.0
// The twelve questions of somebody who is new here: each begins on the first page, and is answered by what is read after three
// clicks or fewer. A click is counted where it is made; keys and addresses are not used.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { check, until } from "./browser.mjs";
import { ask, gate, open, page, run_ended, run_path, so, task_is, trigger, walk } from "./live.mjs";

const CLICKS_MAX = 3;
const world = {};
let clicks = 0;
const click = async (selector) => { clicks++; await page.click(selector); };
const reads = (what, words) => until(page, what, (w) => w.every((word) => new RegExp(word).test(document.querySelector("main").innerText)), words);

/* One question: `answer` clicks from the first page on, and ends when the answer is read. */
const question = (name, answer, most = CLICKS_MAX) => [name, async () => {
  await open("/home", ".health");
  clicks = 0;
  await answer();
  check(clicks <= most, `it took ${clicks} clicks, not ${most}`);
}];

/* What there is to ask about: a good run, then another version that failed and was slower, a mapped task, a full pool. */
async function world_made() {
  world.good = await trigger("gated", { gate: "/" });
  await run_ended("gated", world.good);
  await run_ended("breaks", await trigger("breaks"));
  const path = join(process.env.HEADRACE_DAGS, "gated.yaml");
  writeFileSync(path, readFileSync(path, "utf8").replace("bash: \"true\"}\n", "bash: \"echo was changed; exit 7\"}\n"));
  await so("another version", async () => (await ask("dags/gated/dagVersions")).body.total_entries === 2);
  world.bad = await trigger("gated", { gate: "/" });
  await run_ended("gated", world.bad);
  world.wide = await trigger("breaks");
  await run_ended("breaks", world.wide);
  world.held = await trigger("gated", { gate: gate("questions") });
  await task_is("gated", world.held, "hold", "running");
  await ask("dags/daily?update_mask=is_paused", "PATCH", { is_paused: true });
  await ask("dags/daily?update_mask=is_paused", "PATCH", { is_paused: false });
}

const cases = [
  ["there is something to ask about", world_made],
  question("1. is the system healthy, and since when", async () => {
    await reads("the health of each part", ["Scheduler", "Database\\s+healthy", "Workers\\s+1 worker", "Stream\\s+live"]);
    check(await page.locator(".health .st-failed").count() === 0, "a part is not well");
  }, 0),
  question("2. what failed last night, and what was the error", async () => {
    await reads("the failures with their errors", ["Failures", "gated", "last", "exit code 7"]);
    await click("main .list a:text-is('last')");
    await until(page, "what it printed", () => /was changed/.test(document.querySelector(".log-window")?.textContent ?? ""));
    await reads("the error", ["exit code 7"]);
  }, 2),
  question("3. why a task is not running yet", async () => {
    await click(`main li:has-text("${world.held}") a`);
    await click(".tasks a:text-is('last')");
    await page.waitForSelector(".why .sentence");
    await reads("what it waits for", ["hold"]);
  }),
  question("4. which line of the log shows the first error", async () => {
    await click("main li:has-text('breaks') a:text-is('bad')");
    await until(page, "the line", () => [...document.querySelectorAll(".log-line")].some((l) => /about to fail/.test(l.textContent) && l.querySelector(".log-n").textContent));
  }),
  question("5. what has changed since the last good run", async () => {
    await click(`main li:has-text('exit code 7') a`);
    await click(".tabs a:has-text('Diff')");
    await reads("the other version, and what is different", ["1 → 2", "last", "Succeeded", "Failed"]);
    await click("main a:has-text('what changed')");
    await until(page, "the lines", () => /exit 7/.test(document.querySelector(".diff-new")?.textContent ?? ""));
  }),
  question("6. run only the failed part again, and see exactly what will be cleared", async () => {
    await click(`main li:has-text('exit code 7') a`);
    await click("button:has-text('Clear failed')");
    await until(page, "what will be cleared", () => [...document.querySelectorAll("dialog .ti-list li")].map((l) => l.innerText.trim().split(/\s+/).at(-1)).join() === "last");
    await click("dialog footer .primary");
    await so("its second try", async () => (await ask(`dags/gated/dagRuns/${encodeURIComponent(world.bad)}/taskInstances/last`)).body.try_number === 2);
    await run_ended("gated", world.bad);
  }),
  question("7. which tasks make a run slow, waiting or working", async () => {
    await click(`main li:has-text('exit code 7') a`);
    await click(".tabs a:has-text('Timeline')");
    await page.waitForSelector(".gantt-bar");
    await click("text=Critical path");
    await page.waitForSelector(".gantt-bar.critical");
  }),
  question("8. whether it gets slower over weeks, and at which version that began", async () => {
    await click("nav a:text-is('DAGs')");
    await click(".dags .cell-name a:text-is('gated')");
    await click(".tabs a:has-text('Trends')");
    await page.waitForSelector(".uplot");
    await reads("each task by itself, the newer half against the older, and where a version begins", ["Newer half against older", "hold", "new version"]);
  }),
  question("9. which of the mapped pieces failed, and of what", async () => {
    await click(`main li:has-text('breaks') a`);
    await click(".tasks a:text-is('each')");
    await until(page, "of what, and how many of each", () => /exit code 1.* ×1$/s.test(document.querySelector(".error-chip")?.textContent ?? ""));
    await click(".chip:has-text('Failed')");
    await until(page, "the failed piece and its error", () => document.querySelectorAll("tbody tr").length === 1 && /the second/.test(document.querySelector("tbody").textContent) && /exit code 1/.test(document.querySelector("tbody").textContent));
  }),
  question("10. when a DAG runs next, in my zone", async () => {
    await reads("the next runs", ["Next runs", "daily"]);
    await click(".panel:has(h2:text-is('Next runs')) a:text-is('daily')");
    await reads("when, and in which zone it is planned", ["Next in ", "Pacific/Auckland"]);
  }, 2),
  question("11. which worker ran it, and whether it is sound", async () => {
    await click("main .list a:text-is('last')");
    await click(".meta a[href^='/workers/']");
    await reads("the worker", ["Present", "slots used"]);
  }),
  question("12. who did what to a DAG, and when", async () => {
    await click("nav button[aria-label=Admin]");
    await click(".menu a:text-is('Audit log')");
    await until(page, "who paused it", () => [...document.querySelectorAll("tbody tr")].some((r) => /admin/.test(r.textContent) && /daily/.test(r.textContent) && /paused|patch|update/i.test(r.textContent)));
  }),
  ["the reason of a failed task is three clicks from a run's page and from the list of DAGs too", async () => {
    for (const [start, steps] of [["/dags", [".dags tr:has-text('breaks') .cell-last a", ".note.bad a"]], [run_path("breaks", world.wide), [".note.bad a"]]]) {
      await open(start, "main h1");
      clicks = 0;
      for (const step of steps) await click(step);
      await until(page, "what it printed", () => document.querySelectorAll(".log-line").length > 0);
      check(clicks <= CLICKS_MAX, `${start}: ${clicks} clicks`);
    }
  }],
];

await walk(cases);
