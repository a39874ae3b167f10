// SPDX-License-Identifier: Apache-2.0
// Everything that a person can do to a DAG, a run or a task, done in the browser and then asked of the server.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { check, until } from "./browser.mjs";
import { ask, base, gate, gate_open, loaded, open, page, run_ended, run_is, run_of, run_path, so, states_of, task_is, text, told, trigger, walk } from "./live.mjs";

const dags_folder = process.env.HEADRACE_DAGS;
const copied = () => page.evaluate(() => navigator.clipboard.readText());
const menu = async (item) => { await page.click("main button[aria-label='More actions']"); await page.click(`.menu :is(button, a):has-text("${item}")`); };
const press = (words) => page.click(`dialog :is(button, label):has-text("${words}")`);
const listed = async () => (await page.locator("dialog .ti-list li").allInnerTexts()).map((t) => t.trim().split(/\s+/).at(-1)).sort().join();
const no_dialog = () => until(page, "the dialog is closed", () => !document.querySelector("dialog"));
const switched = (wanted) => until(page, `the switch says ${wanted}`, (w) => document.querySelector(".switch").getAttribute("aria-checked") === String(w), wanted);
const broken_run = async (more) => { const run = await trigger("breaks", {}, more); await run_ended("breaks", run); return run; };
const held_run = async (name) => { const run = await trigger("gated", { gate: gate(name) }); await task_is("gated", run, "hold", "running"); return run; };
const previewed = (wanted) => so(`the preview names ${wanted}`, async () => (await listed()) === wanted);

const cases = [
  ["a run is triggered with an id, a date, a note and its conf as JSON", async () => {
    await open("/dags/gated", "main h1");
    await page.keyboard.press("t");
    await page.click("dialog .chip:has-text('JSON')");
    await page.fill("#trigger-conf", "{ no json");
    await page.waitForSelector("dialog .problem");
    await page.fill("#trigger-conf", JSON.stringify({ gate: gate("json") }));
    await page.click("dialog summary");
    await page.fill("#trigger-id", "by_hand");
    await page.fill("#trigger-date", "2026-03-01T06:00");
    await page.fill("#trigger-note", "as asked by Ada");
    await press("Trigger run");
    await page.waitForSelector(".note:has-text('as asked by Ada')");
    const run = await run_of("gated", "by_hand");
    check(run.conf.gate === gate("json") && run.note === "as asked by Ada" && run.logical_date.startsWith("2026-03-01T05:00:00"), JSON.stringify(run)); // Berlin
  }],
  ["an id that is taken is refused beside the form, and what was written stays", async () => {
    await open("/dags/gated", "main h1");
    await page.keyboard.press("t");
    await page.click("dialog summary");
    await page.fill("#trigger-id", "by_hand");
    await press("Trigger run");
    await page.waitForSelector("dialog [role=alert]:has-text('already')");
    check(await page.inputValue("#trigger-id") === "by_hand", "the id is gone from the form");
    await press("Cancel");
    await no_dialog();
  }],
  ["a run is stopped: what ran is killed, what waited does not start", async () => {
    await open(run_path("gated", "by_hand"), "button:has-text('Stop…')");
    await page.click("button:has-text('Stop…')");
    await press("Stop and mark failed");
    await until(page, "failed", () => /Failed/.test(document.querySelector(".meta .state").textContent));
    await run_is("gated", "by_hand", "failed");
    check(!/running|queued/.test(Object.values(await states_of("gated", "by_hand")).join()), JSON.stringify(await states_of("gated", "by_hand")));
  }],
  ["a run is run again with the same conf", async () => {
    await open(run_path("gated", "by_hand"), "main h1");
    await menu("Run again with the same conf");
    await until(page, "its conf", (path) => document.querySelector("dialog #param-gate")?.value === path, gate("json"));
    await press("Trigger run");
    await until(page, "another run's page", () => location.pathname.includes("/runs/manual__"));
    const again = decodeURIComponent(page.url().split("/runs/")[1]);
    check((await run_of("gated", again)).conf.gate === gate("json"), "another conf");
    gate_open("json");
    await run_is("gated", again, "success");
  }],
  ["a note is added, changed and taken away", async () => {
    await open(run_path("gated", "by_hand"), "main h1");
    await menu("Edit note");
    await page.fill("dialog textarea", "seen by the night shift");
    await press("Save note");
    await page.waitForSelector(".note:has-text('seen by the night shift')");
    await menu("Edit note");
    await page.fill("dialog textarea", "");
    await press("Save note");
    await so("no note", async () => !(await run_of("gated", "by_hand")).note);
  }],
  ["a run that runs is marked succeeded", async () => {
    const run = await held_run("good");
    await open(run_path("gated", run), "main h1");
    await menu("Mark succeeded");
    await press("Mark succeeded");
    await until(page, "succeeded", () => /Succeeded/.test(document.querySelector(".meta .state").textContent));
    await run_is("gated", run, "success");
  }],
  ["a run is deleted only when its id is typed", async () => {
    const run = await broken_run();
    await open(run_path("breaks", run), "main h1");
    await menu("Delete run");
    check(await page.locator("dialog .danger").isDisabled(), "it can be deleted unasked");
    await page.fill("#delete-name", run);
    await page.click("dialog .danger");
    await until(page, "the DAG's page", () => location.pathname === "/dags/breaks");
    await so("it is gone", async () => (await ask(`dags/breaks/dagRuns/${encodeURIComponent(run)}`)).status === 404);
  }],
  ["commands and links are copied", async () => {
    const run = await broken_run();
    await open(run_path("breaks", run), "main h1");
    await menu("Copy CLI command");
    await told("Command copied");
    check(await copied() === `headrace tasks states-for-dag-run breaks '${run}'`, await copied());
    await page.keyboard.press("y");
    await told("Link copied");
    check(await copied() === page.url(), await copied());
    await open("/dags/breaks", "main h1");
    await menu("Copy CLI command");
    await so("the DAG's command", async () => (await copied()) === "headrace dags trigger breaks");
    await open(`${run_path("breaks", run)}/tasks/bad`, "main h1");
    await menu("Copy CLI command");
    await so("the task's command", async () => (await copied()) === `headrace tasks logs breaks '${run}' bad`);
    await menu("Copy link");
    await so("the task's link", async () => (await copied()) === page.url());
  }],
  ["clearing previews each choice, and does what it showed", async () => {
    const first = await broken_run({ logical_date: "2026-03-01T00:00:00Z" }); // earlier and later go by these dates
    const second = await broken_run({ logical_date: "2026-03-02T00:00:00Z" });
    await open(`${run_path("breaks", second)}/tasks/bad`, "main h1");
    await page.keyboard.press("c");
    await previewed("after,bad");
    await press("Upstream too");
    await previewed("after,bad,good");
    await press("Upstream too");
    await press("Downstream too");
    await previewed("bad");
    await press("Earlier runs too");
    await page.waitForSelector(`dialog .ti-list li:has-text('${first}')`);
    await press("Earlier runs too");
    await press("Downstream too");
    await press("Only what failed");
    await previewed("after,bad");
    await page.click("dialog footer .primary");
    await told("cleared");
    await so("a second try", async () => (await ask(`dags/breaks/dagRuns/${encodeURIComponent(second)}/taskInstances/bad`)).body.try_number === 2);
    await run_ended("breaks", second);
    check((await ask(`dags/breaks/dagRuns/${encodeURIComponent(first)}/taskInstances/bad`)).body.try_number === 1, "the earlier run was cleared too");
  }],
  ["several tasks of a run are picked and cleared together, and one mapped instance by itself", async () => {
    const run = await broken_run();
    await open(run_path("breaks", run), ".tasks tbody tr");
    for (const task of ["good", "bad"]) await page.check(`input[aria-label='Select ${task}']`);
    await page.click("button:has-text('Clear 2 selected')");
    await page.waitForSelector("dialog .ti-list li");
    await page.click("dialog footer .primary");
    await told("cleared");
    await so("good again", async () => (await ask(`dags/breaks/dagRuns/${encodeURIComponent(run)}/taskInstances/good`)).body.try_number === 2);
    await run_ended("breaks", run);
    const [, before] = await Promise.all([open(`${run_path("breaks", run)}/tasks/each/mapped/1`, "h1:has-text('each[1]')"), ask(`dags/breaks/dagRuns/${encodeURIComponent(run)}/taskInstances/each/1`)]);
    await page.click("button:has-text('Clear…')");
    await previewed("each");
    await page.click("dialog footer .primary");
    await so("that instance again", async () => (await ask(`dags/breaks/dagRuns/${encodeURIComponent(run)}/taskInstances/each/1`)).body.try_number === before.body.try_number + 1);
    await run_ended("breaks", run);
  }],
  ["a task is marked: what failed as succeeded, with what follows, and what runs as failed", async () => {
    const run = await broken_run();
    await open(`${run_path("breaks", run)}/tasks/bad`, "main h1");
    await page.keyboard.press("m");
    await press("Succeeded");
    await previewed("bad");
    await press("Downstream too");
    await previewed("after,bad");
    await page.fill("#mark-note", "mended by hand");
    await page.click("dialog footer .primary");
    await until(page, "succeeded", () => /Succeeded/.test(document.querySelector(".meta .state").textContent));
    await so("both succeeded", async () => { const s = await states_of("breaks", run); return s.bad === "success" && s.after === "success"; });
    await page.click(".tabs a:has-text('Audit')");
    await page.waitForSelector("tbody tr:has-text('mended by hand')");
    const held = await held_run("mark");
    await open(`${run_path("gated", held)}/tasks/hold`, "main h1");
    await page.click("button:has-text('Mark…')");
    await press("Failed");
    await page.waitForSelector("dialog .ti-list li");
    await page.click("dialog footer .primary");
    await task_is("gated", held, "hold", "failed");
    await run_is("gated", held, "failed");
  }],
  ["a task is marked as skipped", async () => {
    const run = await broken_run();
    await open(`${run_path("breaks", run)}/tasks/bad`, "main h1");
    await page.keyboard.press("m");
    await press("Skipped");
    await page.waitForSelector("dialog .ti-list li");
    await page.click("dialog footer .primary");
    await task_is("breaks", run, "bad", "skipped");
  }],
  ["keys lead from a run to the one before, the one after and its parts; from a task to its tabs", async () => {
    const runs = (await ask("dags/breaks/dagRuns?order_by=-run_after&limit=2")).body.dag_runs.map((r) => r.dag_run_id);
    await open(run_path("breaks", runs[0]), ".tasks tbody tr");
    await page.keyboard.press("[");
    await until(page, "the run before, and that there is one after it", (id) => document.querySelector("h1")?.textContent === id && document.querySelector("button[aria-label='The run after']:not([disabled])"), runs[1]);
    await page.keyboard.press("]");
    await until(page, "the run after", (id) => document.querySelector("h1")?.textContent === id, runs[0]);
    await page.keyboard.press("3");
    await until(page, "the timeline", () => location.pathname.endsWith("/gantt"));
    await open(`${run_path("breaks", runs[0])}/tasks/bad`, "main h1");
    await page.keyboard.press("5");
    await until(page, "the history", () => location.pathname.endsWith("/history"));
    await page.keyboard.press("l");
    await page.waitForSelector(".log-line");
  }],
  ["a run is compared with the last good one", async () => {
    const held = await trigger("gated", { gate: "/" });
    await run_is("gated", held, "success");
    const failed = await held_run("compare");
    await ask(`dags/gated/dagRuns/${encodeURIComponent(failed)}?update_mask=state`, "PATCH", { state: "failed" });
    await run_is("gated", failed, "failed");
    await open(run_path("gated", failed), "main h1");
    await page.keyboard.press("b");
    await page.waitForSelector("text=Compared with");
    check((await text("main")).includes("hold"), "the task that failed is not among the differences");
  }],
  ["mapped instances are found by state and by name, and one is opened from the map", async () => {
    const run = (await ask("dags/breaks/dagRuns?order_by=-run_after&limit=1")).body.dag_runs[0].dag_run_id;
    await open(`${run_path("breaks", run)}/tasks/each`, ".map canvas");
    await page.click(".chip:has-text('Failed')");
    await until(page, "the failed one", () => document.querySelectorAll("tbody tr").length === 1 && document.querySelector("tbody td").textContent === "1");
    await page.click("main .toolbar .chip:has-text('All')");
    await page.fill("main input[type=search]", "third");
    await until(page, "the one of that name", () => document.querySelectorAll("tbody tr").length === 1);
    await page.click(".map canvas", { position: { x: 3, y: 3 } });
    await page.waitForSelector("h1:has-text('each[0]')");
  }],
  ["the grid's panel tells about a cell, a run and a task, and clears from there", async () => {
    await open("/dags/breaks", ".grid-row .cell.st-failed");
    await page.locator(".grid-row .cell.st-failed").first().click();
    await page.waitForSelector(".side .note.bad");
    await page.click(".side button:has-text('Clear…')");
    await page.waitForSelector("dialog .ti-list li");
    await press("Cancel");
    await page.click(".side button:has-text('Mark…')");
    await page.waitForSelector("dialog .ti-list li");
    await press("Cancel");
    await page.locator(".grid-row .grid-name").first().click();
    await page.waitForSelector(".side dt:has-text('Operator')");
    await page.locator(".grid-run a").last().click();
    await page.waitForSelector(".side .notable a:has-text('each')");
    await page.click(".side button:has-text('Clear failed')");
    await page.waitForSelector("dialog .ti-list li");
    await press("Cancel");
    await page.click(".chip:has-text('With failures')");
    await until(page, "only what failed", () => [...document.querySelectorAll(".grid-row")].filter((r) => r.style.display !== "none").every((r) => r.querySelector(".st-failed, .st-upstream_failed")));
    await page.click(".side button[aria-label='Close details']");
    await until(page, "no panel", () => !document.querySelector(".side"));
  }],
  ["the graph is coloured by the run that is chosen, and opens its task", async () => {
    await open("/dags/breaks/graph", ".react-flow__node .node");
    const runs = (await ask("dags/breaks/dagRuns?order_by=-run_after&limit=2")).body.dag_runs.map((r) => r.dag_run_id);
    await page.selectOption("select[aria-label='Run that colours the graph']", runs[1]);
    await page.locator(".react-flow__node", { hasText: "good" }).first().click();
    await page.waitForSelector(".log-line");
    check(decodeURIComponent(new URL(page.url()).pathname) === `/dags/breaks/runs/${runs[1]}/tasks/good`, page.url());
  }],
  ["the calendar marks today, and the chart of durations is a table too", async () => {
    await open("/dags/breaks/calendar", ".day.today");
    check(await page.locator(".day.today.st-failed").count() === 1, "today is not marked as failed");
    await open("/dags/breaks/trends", ".uplot");
    await page.click(".chart button:has-text('Table')");
    await page.waitForSelector(".chart-table tbody tr");
    check(/bad/.test(await text("table:not(.chart-table table)")) || /bad/.test(await text("main")), "no task");
  }],
  ["a new version of the file is seen at once, and its difference and source are shown", async () => {
    const before = (await ask("dags/breaks/dagVersions")).body.total_entries;
    await open("/dags/breaks/tasks", "tbody tr");
    const path = join(dags_folder, "breaks.yaml");
    writeFileSync(path, readFileSync(path, "utf8").replace("echo fine", "echo finer"));
    await so("another version", async () => (await ask("dags/breaks/dagVersions")).body.total_entries === before + 1);
    await open("/dags/breaks/versions", ".diff-new");
    check(/echo finer/.test(await text(".diff-new")) && /echo fine/.test(await text(".diff-old")), await text(".diff"));
    await page.locator("button:has-text('Changes')").first().click();
    await until(page, "the address names both", () => /to=\d+&from=\d+/.test(location.search));
    await open("/dags/breaks/code", "pre.diff");
    check(/echo finer/.test(await text("pre.diff")), "not the newest source");
    await page.selectOption("main select[aria-label='Version']", String(before));
    await until(page, "the older source", () => !/echo finer/.test(document.querySelector("pre.diff")?.textContent ?? "echo finer"));
    const found = await trigger("breaks");
    await run_ended("breaks", found);
    await open("/dags/breaks", ".grid-run.changed");
  }],
  ["the documentation and the settings of a DAG are shown, its tasks filtered, its runs listed", async () => {
    await open("/dags/breaks/details", "main h1");
    await until(page, "its documentation", () => /A task of it fails, each time/.test(document.querySelector("main").textContent));
    await open("/dags/breaks/tasks", "tbody tr");
    await page.fill("main input[type=search]", "bad");
    await until(page, "one task", () => document.querySelectorAll("tbody tr").length === 1);
    await page.click("tbody a:has-text('bad')");
    await page.waitForSelector("h2:has-text('bad in the last')");
    await open("/dags/breaks/runs", "tbody tr");
    check((await page.locator("tbody tr").count()) === (await ask("dags/breaks/dagRuns?limit=100")).body.total_entries, "not all runs");
  }],
  ["a DAG is paused and activated from its page, by switch and by key", async () => {
    await open("/dags/breaks", ".switch");
    await page.click(".switch");
    await told("breaks is paused");
    await so("paused", async () => (await ask("dags/breaks")).body.is_paused);
    await until(page, "free again", () => !document.querySelector(".switch").disabled);
    await switched(false);
    await page.keyboard.press("p");
    await so("active", async () => !(await ask("dags/breaks")).body.is_paused);
    await switched(true);
  }],
  ["a DAG whose file is gone says so; it is deleted with its history when its name is typed", async () => {
    writeFileSync(join(dags_folder, "passing.yaml"), "tasks: {only: {bash: 'true'}}\n");
    await so("the DAG", async () => (await ask("dags/passing")).status === 200);
    const run = await trigger("passing");
    await run_ended("passing", run);
    (await import("node:fs")).unlinkSync(join(dags_folder, "passing.yaml"));
    await so("it is stale", async () => (await ask("dags/passing")).body.is_stale !== false);
    await open("/dags/passing", ".note.bad:has-text('is gone')");
    await menu("Delete DAG");
    check(await page.locator("dialog .danger").isDisabled(), "it can be deleted unasked");
    await page.fill("#delete-name", "passing");
    await page.click("dialog .danger");
    await until(page, "the list", () => location.pathname === "/dags");
    await so("it is gone", async () => (await ask("dags/passing")).status === 404);
    await page.goto(`${base}/dags/passing`);
    await loaded(page, "the page of a DAG that is not there");
    await page.waitForSelector(".empty:has-text('There is no DAG passing')");
  }],
];

await walk(cases);
