// SPDX-License-Identifier: Apache-2.0
// The UI in a browser against the real programs: node real.mjs URL USER PASSWORD. The DAGs are written by ui_test.py.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { browser_open, check, page_open, run_cases, sign_in, until } from "./browser.mjs";

const [base, user, password] = process.argv.slice(2, 5);
process.argv.splice(2, 3);
const browser = await browser_open();
const { page, defects } = await page_open(browser);
const text = (selector) => page.locator(selector).first().innerText();
const open = async (path, selector) => { await page.goto(base + path); await page.waitForSelector(selector); };
const run_state = (wanted) => until(page, `the run is ${wanted}`, (w) => document.querySelector(".meta .state")?.textContent === w, wanted, 90_000);
let run_path = "";
const slow_goes_on = () => rmSync(process.env.HEADRACE_GATE, { force: true });
const slow_may_end = () => writeFileSync(process.env.HEADRACE_GATE, "");
const gates = mkdtempSync(join(tmpdir(), "hr-ui-gate-"));
const trigger = (dag) => page.evaluate(async (dag) => {
  const me = await (await fetch("/api/headrace/v1/me")).json();
  return (await fetch(`/api/v2/dags/${dag}/dagRuns`, { method: "POST", headers: { "Content-Type": "application/json", "X-Headrace-CSRF": me.csrf }, body: JSON.stringify({ logical_date: null }) })).status;
}, dag);

async function backfill_made(from, to, gate) {
  await open("/dags/daily/backfills", "button:has-text('New backfill')");
  await page.click("button:has-text('New backfill')");
  await page.fill("#bf-from", from);
  await page.fill("#bf-to", to);
  await page.fill("#bf-max", "1");
  await page.fill("#bf-conf", JSON.stringify({ gate: join(gates, gate) }));
  await page.click("dialog button:has-text('Show what it would do')");
}

const row_says = (what, words) => until(page, what, (w) => w.every((word) => document.querySelector(".backfills tbody tr")?.textContent.includes(word)), words, 90_000);

const cases = [
  ["the first password signs in, a wrong one does not", async () => {
    await page.goto(base + "/");
    await page.fill("#username", user);
    await page.fill("#password", "certainly wrong");
    await page.click("button:has-text('Sign in')");
    await page.waitForSelector("[role=alert]");
    await sign_in(page, base, user, password);
  }],
  ["home is healthy and live, and names the broken file with its line", async () => {
    await open("/home", ".health");
    await until(page, "live", () => document.querySelector(".live-live") !== null);
    await until(page, "every part well but the files", () => document.querySelectorAll(".health .st-failed").length === 1 && /2 import errors/.test(document.querySelector(".health").textContent));
    await until(page, "both files", () => document.querySelectorAll(".import-error").length === 2);
    const shown = (await page.locator(".import-error").allInnerTexts()).find((t) => /broken\.yaml/.test(t));
    check(/broken\.yaml:5:5/.test(shown) && /retries/.test(shown), `import error: ${shown}`);
  }],
  ["a run is triggered from the form of its params", async () => {
    await open("/dags", ".dags tbody tr");
    await page.locator("tr:has-text('every_state') button[aria-label='Trigger every_state']").click();
    await page.waitForSelector("#param-region");
    await page.fill("#param-n", "99");
    await page.waitForSelector("#param-n-problem");
    await page.fill("#param-n", "4");
    await page.selectOption("#param-region", "us");
    await page.click("dialog button:has-text('Trigger run')");
    await page.waitForSelector(".tasks tbody tr");
    run_path = new URL(page.url()).pathname;
  }],
  ["the log of its running task is followed line by line", async () => {
    await until(page, "a task runs", () => /Running/.test(document.querySelector(".tasks tbody")?.textContent ?? ""));
    await page.goto(`${base}${run_path}/tasks/extract.slow`);
    await until(page, "first lines", () => document.querySelectorAll(".log-line").length > 2);
    const last = await page.evaluate(() => Number([...document.querySelectorAll(".log-n")].at(-1).textContent));
    await until(page, "more lines, without a reload", (n) => Number([...document.querySelectorAll(".log-n")].at(-1).textContent) >= n + 3, last);
    check(/line \d+/.test(await text(".log-window")), "the task's own text is not there");
  }],
  ["a task that waits says why", async () => {
    await page.goto(`${base}${run_path}/tasks/after`);
    await page.waitForSelector(".why");
    check((await text(".why")).length > 10, "no sentence");
    slow_may_end();
  }],
  ["the graph changes its colours by itself, to the end of the run", async () => {
    await open(`${run_path}/graph`, ".react-flow__node .node");
    await until(page, "the failed task", () => document.querySelector(".node.st-failed") !== null);
    await until(page, "the blocked task", () => document.querySelector(".node.st-upstream_failed") !== null);
    await run_state("Failed");
  }],
  ["the run says which task failed and how, and shows what it was given", async () => {
    await open(run_path, ".tasks tbody tr");
    check(/bad/.test(await text(".note.bad")) && /blocked/.test(await text(".note.bad")), "no sentence of the failure");
    await page.click(".tabs a:has-text('Details')");
    await until(page, "its configuration", () => /"region": "us"/.test(document.querySelector("main").textContent));
  }],
  ["the timeline, the mapped instances and the output are there", async () => {
    await open(`${run_path}/gantt`, ".gantt-bar");
    await open(`${run_path}/tasks/many`, ".map canvas");
    await until(page, "12 instances", () => document.querySelectorAll("tbody tr").length === 12);
    await open(`${run_path}/tasks/other/xcom`, ".code");
    check(/"rows": 3/.test(await text(".code")), "not its output");
    await open(`${run_path}/tasks/other/resources`, ".uplot");
    check(/\d+(\.\d)? [MG]B/.test(await text("[aria-label=Tries] tbody tr")), "no memory of its try");
    await page.locator("[aria-label='Peak memory by run'] button:has-text('Table')").click();
    check(/[MG]B/.test(await text("[aria-label='Peak memory by run'] .chart-table tbody tr")), "no memory by run");
  }],
  ["a failed task shows its tries and what it printed", async () => {
    await open(`${run_path}/tasks/bad`, ".log-line");
    await until(page, "its text", () => /about to fail/.test(document.querySelector(".log-window")?.textContent ?? ""));
    check(await page.locator("[aria-label=Tries] .chip").count() === 2, "not two tries");
    await page.click(".tabs a:has-text('History')");
    await page.waitForSelector("tbody tr");
  }],
  ["the logs of its two tries are compared: what each says of itself is a difference, what both say is none", async () => {
    await open(`${run_path}/tasks/bad/attempts`, "[aria-label='Compare the logs of two tries']");
    await page.click("button:text-is('Compare')");
    await page.waitForSelector(".compare-block.other");
    const said = (side) => page.locator(`.compare-block.other .${side}`).allInnerTexts();
    check(/try 1/.test(await said("before")) && /try 2/.test(await said("after")), `${await said("before")} / ${await said("after")}`);
    check(!/about to fail/.test(await page.locator(".compare-block.other").allInnerTexts()), "what both say is a difference");
    await until(page, "what both say", () => [...document.querySelectorAll(".compare-block.same")].some((block) => /about to fail/.test(block.textContent)));
  }],
  ["find goes through the whole log", async () => {
    await open(`${run_path}/tasks/extract.slow`, ".log-line");
    await page.fill(".log-find", "line 7");
    await page.keyboard.press("Enter");
    await until(page, "a match", () => /line 7/.test(document.querySelector(".log-line.marked")?.textContent ?? ""));
  }],
  ["clearing runs the failed part again", async () => {
    await open(run_path, ".tasks tbody tr");
    await page.keyboard.press("c");
    await page.waitForSelector("dialog .ti-list li");
    await page.click("dialog footer .primary");
    await run_state("Running");
    await run_state("Failed");
  }],
  ["the grid has the run, and its cells follow a second one", async () => {
    await open("/dags/every_state", ".grid-row .cell.st-failed");
    slow_goes_on();
    await page.keyboard.press("t");
    await page.click("dialog button:has-text('Trigger run')");
    await page.waitForSelector(".tasks tbody tr");
    await open("/dags/every_state", ".grid-row .cell");
    await until(page, "a running cell", () => document.querySelector(".grid-row .cell.st-running") !== null);
    slow_may_end();
  }],
  ["pausing is kept", async () => {
    await open("/dags?q=every_state", ".switch");
    const recorded = page.waitForResponse((answer) => answer.request().method() === "PATCH");
    await page.click(".switch");
    await until(page, "paused", () => document.querySelector(".switch").getAttribute("aria-checked") === "false");
    await recorded; // shown before it is done: a reload in between would take it back
    await page.reload();
    await until(page, "still paused after a reload", () => document.querySelector(".switch")?.getAttribute("aria-checked") === "false");
    await page.click(".switch");
    await until(page, "active", () => document.querySelector(".switch").getAttribute("aria-checked") === "true");
  }],
  ["a worker is drained and comes back", async () => {
    await open("/workers", "tbody tr");
    await page.locator("button:has-text('Drain')").first().click();
    await page.click("dialog footer .primary");
    await until(page, "draining", () => /Drain(ing|ed)/.test(document.querySelector("tbody tr").textContent));
    await page.locator("button:has-text('Resume')").first().click();
    await until(page, "present", () => /Present/.test(document.querySelector("tbody tr").textContent));
    await page.waitForSelector(".scale-events li");
  }],
  ["a backfill is shown before it is made, followed, held and gone on with to its end", async () => {
    check(await trigger("tells") === 200, "no run"); // what it could not tell is looked for below
    await backfill_made("2026-03-02", "2026-03-04", "first");
    await page.waitForSelector("dialog .ti-list li");
    // The days are those of the DAG's zone, whose midnights are the day before in UTC.
    check((await page.locator("dialog .ti-list li").allInnerTexts()).map((t) => t.slice(0, 10)).join() === "2026-03-02,2026-03-03,2026-03-04", `dates: ${await text("dialog .ti-list")}`);
    await page.click("dialog button:has-text('Create 3 runs')");
    await row_says("the first of its runs", ["2026-03-02 to 2026-03-04", "1 running"]);
    await page.click(".backfills button:has-text('Pause')");
    await row_says("held", ["paused"]);
    writeFileSync(join(gates, "first"), "");
    await row_says("what ran has ended, and no other has begun", ["paused", "1 succeeded"]);
    await page.click(".backfills button:has-text('Go on')");
    await row_says("its end", ["ended", "3 succeeded"]);
    await backfill_made("2026-03-02", "2026-03-04", "first");
    await page.waitForSelector("dialog :is(.ti-list li, p:has-text('No run falls'))");
    await page.click("dialog button:has-text('Cancel')");
  }],
  ["a backfill is cancelled, and a range that the server refuses says why", async () => {
    await backfill_made("2026-04-02", "2026-04-05", "second");
    await page.click("dialog button:has-text('Create 4 runs')");
    await row_says("the first of its runs", ["1 running"]);
    await backfill_made("2026-05-02", "2026-05-03", "second");
    await page.click("dialog button:has-text('Create 2 runs')");
    await page.waitForSelector("dialog [role=alert]");
    await page.click("dialog button:has-text('Cancel')");
    await page.locator(".backfills tbody tr").first().locator("button:has-text('Cancel')").click();
    writeFileSync(join(gates, "second"), "");
    await row_says("its end", ["ended"]);
    check(await page.locator(".backfills tbody tr").count() === 2, "not two backfills");
  }],
  ["an asset shows who updates it and whom it starts", async () => {
    await open("/assets?asset=day_loaded", ".sub li");
    check(/load\s*daily\s*follows/.test(await text("tbody tr")), await text("tbody tr"));
    await until(page, "a run that it started", () => /started\s*follows/.test(document.querySelector(".sub").textContent));
  }],
  ["who could not be told of a failure is named on the first page", async () => {
    await page.evaluate(async () => {
      for (;;) {
        if ((await (await fetch("/api/headrace/v1/notifications?state=failed")).json()).total_entries) return;
        await new Promise((done) => setTimeout(done, 200));
      }
    });
    await open("/home", ".note.bad:has-text('could not be delivered')");
    await page.click(".note.bad:has-text('could not be delivered') a");
    await page.waitForSelector("tbody tr:has-text('tells')");
    check(/on_failure/.test(await text("tbody tr")) && await page.locator("tbody tr .bad-text").count() === 1, await text("tbody tr"));
  }],
  ["a form is saved without a word about the secrets that it does not show (ui_test.py looks whether they are still there)", async () => {
    for (const [path, row] of [["/variables", "db_password"], ["/connections", "kept"]]) {
      await open(path, `tr:has-text('${row}')`);
      await page.locator(`tr:has-text('${row}') button:has-text('Edit')`).click();
      await page.fill("#edit-description", "edited");
      await page.click("dialog footer .primary");
      await page.waitForSelector(`tr:has-text('${row}'):has-text('edited')`);
    }
  }],
  ["from the first page to the reason of a failed task in three clicks", async () => {
    await open("/home", ".health");
    let clicks = 0;
    await page.exposeFunction("one_click", () => { clicks++; });
    await page.evaluate(() => addEventListener("click", () => window.one_click(), true));
    await page.click("main .list a:has-text('bad')");
    await until(page, "what it printed", () => /about to fail/.test(document.querySelector(".log-window")?.textContent ?? ""));
    check(/exit code 3/.test(await text(".note.bad")), "no reason");
    check(clicks >= 1 && clicks <= 3, `${clicks} clicks`);
  }],
  ["text that wants to be a script stays text, wherever a user can write it", async () => {
    await page.evaluate(async () => {
      const me = await (await fetch("/api/headrace/v1/me")).json();
      const send = (method, path, body) => fetch(`/api/v2/${path}`, { method, headers: { "Content-Type": "application/json", "X-Headrace-CSRF": me.csrf }, body: JSON.stringify(body) });
      const image = "<img src=x onerror=window.breached=1>";
      window.answers = [
        await send("POST", "dags/hostile/dagRuns", { dag_run_id: "run_<svg onload=window.breached=1>", logical_date: null, conf: { word: image }, note: `${image} <script>window.breached=1</script>` }),
        await send("POST", "variables", { key: "hostile", value: image, description: image }),
        await send("POST", "pools", { name: "<img src=x onerror=window.breached=1>", slots: 1, description: image }),
        await send("POST", "connections", { connection_id: "hostile", conn_type: "http", host: image, description: image }),
      ].map((r) => r.status);
    });
    const answers = await page.evaluate(() => window.answers);
    check(answers.every((s) => s < 500), `the server broke: ${answers}`);
    if (answers[0] >= 400) await page.evaluate(async () => { // an id that is refused outright cannot hurt: then one with a plain id
      const me = await (await fetch("/api/headrace/v1/me")).json();
      await fetch("/api/v2/dags/hostile/dagRuns", { method: "POST", headers: { "Content-Type": "application/json", "X-Headrace-CSRF": me.csrf }, body: JSON.stringify({ dag_run_id: "plain", logical_date: null, conf: { word: "<script>window.breached=1</script>" }, note: "<img src=x onerror=window.breached=1>" }) });
    });
    const run = await page.evaluate(async () => {
      for (;;) {
        const r = (await (await fetch("/api/v2/dags/hostile/dagRuns")).json()).dag_runs[0];
        if (r && r.state !== "queued" && r.state !== "running") return r.dag_run_id;
        await new Promise((done) => setTimeout(done, 100));
      }
    });
    const path = `/dags/hostile/runs/${encodeURIComponent(run)}`;
    const visited = ["/home", "/dags", "/dag_runs", "/task_instances", "/pools", "/variables", "/connections", "/events", "/import_errors", "/dags/hostile", ...["graph", "runs", "tasks", "trends", "code", "details", "events"].map((t) => `/dags/hostile/${t}`),
      path, `${path}/graph`, `${path}/gantt`, `${path}/details`, `${path}/tasks/fails`, `${path}/tasks/maps`, ...["", "/attempts", "/xcom", "/rendered", "/history", "/details"].map((t) => `${path}/tasks/prints${t}`)];
    for (const place of visited) {
      await page.goto(base + place);
      await page.waitForSelector("main h1");
      await until(page, `${place} is loaded`, () => !document.querySelector(".skeleton"));
      const wrong = await page.evaluate(() => (window.breached ? "ran a script" : document.querySelector("main :is(script, iframe, object, embed, img), a[href^='javascript:' i], a[href^='data:' i]")?.outerHTML));
      check(!wrong, `${place}: ${wrong}`);
    }
    await open(`${path}/tasks/prints`, ".log-line");
    check((await page.locator(".log-text").allInnerTexts()).some((t) => t.includes("<img src=x onerror=")), "the log does not show what was printed");
    await open("/dags/hostile", "main h1");
    await page.keyboard.press("t");
    await page.waitForSelector("#param-word");
    check(await page.inputValue("#param-word") === "<script>window.breached=1</script>", "the form changed its text");
    check(!(await page.evaluate(() => window.breached)), "the form ran a script");
  }],
  ["a variable is made, read and deleted", async () => {
    await open("/variables", "main h1");
    await page.click("button:has-text('New variable')");
    await page.fill("#edit-key", "colour");
    await page.fill("#edit-value", "green");
    await page.click("dialog footer .primary");
    await page.waitForSelector("td:has-text('colour')");
    await page.locator("tr:has-text('colour') button:has-text('Delete')").click();
    await page.click("dialog button:has-text('Delete variable')");
    await until(page, "gone", () => ![...document.querySelectorAll("tbody td")].some((d) => d.textContent === "colour"));
  }],
  ["signing out ends the session", async () => {
    await open("/home", ".health");
    await page.click("button[aria-label^='Signed in as']");
    await page.click(".menu button:has-text('Sign out')");
    await page.waitForSelector("#username");
    const status = await page.evaluate(async () => (await fetch("/api/headrace/v1/me")).status);
    check(status === 401, `the session still answers ${status}`);
  }],
];

const failed = await run_cases(cases, () => defects.splice(0));
await browser.close();
rmSync(gates, { recursive: true });
process.exit(failed ? 1 : 0);
