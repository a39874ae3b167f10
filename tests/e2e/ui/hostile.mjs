// SPDX-License-Identifier: Apache-2.0
// Text that wants to be a script, in every field that anybody may fill (tests/support/hostile.py): on each page it stays text.
// HEADRACE_HOSTILE: [[what of it is the name of things, the text]].
import { check, until } from "./browser.mjs";
import { ask, base, loaded, page, walk } from "./live.mjs";

const all = JSON.parse(process.env.HEADRACE_HOSTILE);
const e = encodeURIComponent;
const names = all.map(([name]) => name);
const dag = (t) => `/dags/${e(t)}`;
const run = (t) => `${dag(t)}/runs/${e(t)}`;
const task = (t) => `${run(t)}/tasks/${e(t)}`;
const OF_ONE = (t) => [
  dag(t), ...["graph", "runs", "calendar", "trends", "tasks", "backfills", "versions", "code", "events", "details"].map((tab) => `${dag(t)}/${tab}`), `${dag(t)}/tasks/${e(t)}`,
  run(t), ...["graph", "gantt", "diff", "events", "details"].map((tab) => `${run(t)}/${tab}`), `${dag(t)}/runs/still_runs`,
  task(t), ...["attempts", "xcom", "rendered", "history", "resources", "events", "details"].map((tab) => `${task(t)}/${tab}`),
  `${run(t)}/tasks/${e(`${t}[]`)}`, `${run(t)}/tasks/${e(`${t}[]`)}/mapped/1`, `${run(t)}/tasks/${e(`${t.replaceAll(".", "")}.${t}`)}`,
  `/dags?q=${e(t)}`, `/dag_runs?range=all&q=${e(t)}`, `/task_instances?range=all&q=${e(t)}`, `/workers/${e(t)}`, `/assets?asset=${e(t)}`,
];
const OF_ALL = ["/home", "/dags", "/dag_runs", "/task_instances", "/workers", "/pools", "/variables", "/connections", "/assets", "/notifications", "/events", "/settings", "/security", "/import_errors"];

const breach = () => page.evaluate(() => (window.breached ? "ran a script" : document.querySelector(
  ":is(main, dialog, header, .toasts) :is(script, iframe, object, embed, img, svg[onload]), :is(main, dialog, header) b[onmouseover], a[href^='javascript:' i], a[href^='data:' i], a[target]:not([rel*=noopener])")?.outerHTML));

/* Another page of the document that is open, as a click on a link leads there. */
async function gone_to(path) {
  await page.evaluate((path) => new Promise((done) => {
    history.pushState(null, "", path);
    dispatchEvent(new PopStateEvent("popstate"));
    requestAnimationFrame(() => requestAnimationFrame(done));
  }), path);
}

async function visited(path, is_loaded_anew = false) {
  if (is_loaded_anew) await page.goto(base + path);
  else await gone_to(path);
  await loaded(page, path);
  const alerts = (await page.locator("main [role=alert]").allInnerTexts()).filter((t) => !/no log|not found|There is no/i.test(t));
  check(!alerts.length, `${path}: ${alerts}`);
  check(await page.locator("main .empty:has-text('There is no DAG')").count() === 0 || path.endsWith("x"), `${path}: the DAG is not found`);
  const found = await breach();
  check(!found, `${path}: ${found}`);
}

/* What is shown of `t` is all of it. Signs that would turn the text around are shown as signs, or isolated. */
const shows = (what, selector, t) => until(page, `${what} says ${JSON.stringify(t)}`, ([s, t]) => [...document.querySelectorAll(s)].some((n) => n.textContent.includes(t)), [selector, t]);

const cases = [
  ...names.map((t) => [`nothing of ${JSON.stringify(t)} runs on any page of its DAG, its runs and its tasks`, async () => {
    for (const [i, path] of OF_ONE(t).entries()) await visited(path, i === 0);
  }]),
  ["each text is shown whole where it is the name of a DAG, a run, a task, a note and an error", async () => {
    for (const [t, text] of all) {
      await visited(dag(t));
      await shows("the heading of the DAG", "h1", t);
      await visited(run(t));
      await shows("the heading of the run", "h1", t);
      await shows("its note", ".note", text);
      check((await page.title()).includes(t.trim().replace(/\s+/g, " ")) || (await page.title()).includes(t), `title: ${await page.title()}`);
      await visited(task(t));
      await shows("the heading of the task", "h1", t);
      await shows("its error", ".note.bad", text);
    }
  }],
  ["the pages that have all of them together run nothing, and show each", async () => {
    for (const path of OF_ALL) await visited(path, true);
    await visited("/workers");
    for (const t of names) await shows("the list of workers", "main", t);
    await visited("/import_errors");
    for (const [, t] of all) await shows("the list of import errors", "main", t);
  }],
  ["forms, menus, dialogs and the search show them as text", async () => {
    for (const t of names) {
      await visited(dag(t));
      await page.keyboard.press("t");
      await page.waitForSelector("dialog .field");
      check(!(await breach()), `the form of ${t}: ${await breach()}`);
      await page.keyboard.press("Escape");
      await visited(run(t));
      await page.keyboard.press("c");
      await page.waitForSelector("dialog :is(.ti-list li, [role=alert], p)");
      check(!(await breach()), `the clear dialog of ${t}: ${await breach()}`);
      await page.keyboard.press("Escape");
      await page.keyboard.press("Control+k");
      await page.waitForSelector(".palette input");
      await page.keyboard.insertText(t.slice(0, 12));
      await until(page, "an answer", () => document.querySelector("#palette-list li"));
      check(!(await breach()), `the search for ${t}: ${await breach()}`);
      await page.keyboard.press("Escape");
    }
  }],
  ["a log is downloaded under a name that is no header and no path", async () => {
    for (const t of names) {
      const answer = await page.request.get(`${base}/api/headrace/v1/ui/log${task(t).slice(5).replace("/runs/", "/").replace("/tasks/", "/")}/-1/1/raw`);
      if (answer.status() === 404) continue;
      const name = answer.headers()["content-disposition"] ?? "";
      check(answer.status() === 200 && /^attachment; filename="[^"/\\<>\r\n]*"/.test(name), `${t}: ${answer.status()} ${name}`);
      check(/^text\/plain/.test(answer.headers()["content-type"]) && answer.headers()["x-content-type-options"] === "nosniff", JSON.stringify(answer.headers()));
    }
  }],
  ["what the server refuses to take is refused with a sentence that runs nothing either", async () => {
    for (const t of names) {
      const answer = await ask("pools", "POST", { name: `${t}${t}`.repeat(20), slots: 1 });
      check(answer.status >= 400 && answer.status < 500, `${answer.status} for a name of ${t.length * 40} letters`);
      await visited(`/dags/${e(t)}x`);
      await shows("the page of a DAG that is not there", ".empty", t);
    }
  }],
];

await walk(cases);
