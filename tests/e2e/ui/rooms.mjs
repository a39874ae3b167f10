// SPDX-License-Identifier: Apache-2.0
// What stands beside DAGs and runs, driven in the browser and then asked of the server: the lists and what is done to many at
// once, pools, variables, connections, workers, users, settings, the audit log, notifications, the search, zone and theme.
import { check, page_open, sign_in, until } from "./browser.mjs";
import { ask, base, browser, gate, gate_open, loaded, open, page, run_ended, run_is, run_of, run_path, settled, so, states_of, password, task_is, text, told, trigger, user, walk } from "./live.mjs";

const rows = () => page.locator("tbody tr").count();
const row_of = (words) => page.locator(`tbody tr:has-text("${words}")`);
const save = () => page.click("dialog footer .primary");
const url_has = (words) => until(page, `the address has ${words}`, (w) => decodeURIComponent(location.search).includes(w), words);
const audited = (event, words = "") => so(`${event} in the audit log`, async () => (await ask(`eventLogs?event=${event}&order_by=-when&limit=20`)).body.event_logs.find((e) => JSON.stringify(e).includes(words)));
const held_run = async (name) => { const run = await trigger("gated", { gate: gate(name) }); await task_is("gated", run, "hold", "running"); return run; };
const broken_run = async () => { const run = await trigger("breaks"); await run_ended("breaks", run); return run; };
const pick = async (names) => { for (const name of names) await page.check(`input[aria-label='Select ${name}']`); };
const attempt_of = async (run, task) => (await ask(`dags/breaks/dagRuns/${encodeURIComponent(run)}/taskInstances/${task}`)).body.try_number;

/* What is picked is acted on, and the report says that `n` of `n` were done. */
async function act_on_picked(button, n = 1) {
  await page.click(`[aria-label='With what is selected'] button:text-is('${button}')`);
  await page.click("dialog footer :is(.primary, .danger)");
  await until(page, `${button}: all ${n} done`, (n) => document.querySelector(".bulk [role=status]")?.textContent.startsWith(`${n} of ${n} done.`), n);
  await page.click(".bulk button:has-text('Dismiss')");
}

const shown = (fields) => Object.entries(fields).filter(([field]) => field !== "password");

/* One thing of a kind: made, changed and deleted by its form, each seen by the server. */
async function kept_thing({ page_path, api, id, id_field, first, then, same }) {
  await open(page_path, "main h1");
  await page.click(".actions button.primary");
  await page.fill(`#edit-${id_field}`, id);
  for (const [field, value] of Object.entries(first)) await page.fill(`#edit-${field}`, value);
  await save();
  await row_of(id).waitFor();
  const made = (await ask(`${api}/${id}`)).body;
  check(shown(first).every(([field, value]) => String(made[field]) === value), JSON.stringify(made));
  await row_of(id).locator("button:has-text('Edit')").click();
  check(await page.locator(`#edit-${id_field}`).isDisabled(), "its name can be changed");
  for (const [field, value] of Object.entries(then)) await page.fill(`#edit-${field}`, value);
  await save();
  await until(page, "the form is closed", () => !document.querySelector("dialog"));
  const changed = (await ask(`${api}/${id}`)).body;
  check(shown(then).every(([field, value]) => String(changed[field]) === value) && changed[same] === made[same], JSON.stringify(changed));
  await page.fill("main input[type=search]", id);
  await until(page, "the one", () => document.querySelectorAll("tbody tr").length === 1);
  await row_of(id).locator("button:has-text('Delete')").click();
  await page.click("dialog .danger");
  await told(`${id} was deleted`);
  check((await ask(`${api}/${id}`)).status === 404, "it is still there");
}

const cases = [
  ["the list of DAGs is filtered, ordered, and many are paused at once", async () => {
    await run_ended("breaks", await broken_run());
    await open("/dags", ".dags tbody tr");
    await page.click(".chip:has-text('Last run failed')");
    await until(page, "only breaks", () => [...document.querySelectorAll(".dags .cell-name .strong")].map((n) => n.textContent).join() === "breaks");
    await page.click(".chip:has-text('All')");
    await page.click("[aria-label='gated is a favourite']");
    await so("gated is a favourite", async () => (await ask("dags/gated")).body.is_favorite);
    await page.click(".chip:has-text('Favourites')");
    await until(page, "only the favourite", () => [...document.querySelectorAll(".dags .cell-name .strong")].map((n) => n.textContent).join() === "gated");
    await page.click("[aria-label='gated is a favourite']");
    await so("gated is none", async () => !(await ask("dags/gated")).body.is_favorite);
    await page.click(".chip:has-text('All')");
    await page.selectOption("select[aria-label=Tag]", "held");
    await until(page, "only gated", () => [...document.querySelectorAll(".dags .cell-name .strong")].map((n) => n.textContent).join() === "gated");
    await page.selectOption("select[aria-label=Tag]", "");
    await page.selectOption("select[aria-label=Owner]", "ada");
    await until(page, "what ada owns", () => document.querySelectorAll(".dags tbody tr").length === 1);
    await page.selectOption("select[aria-label=Owner]", "");
    await page.selectOption("select[aria-label=Order]", "dag_id");
    await url_has("sort=dag_id");
    await until(page, "by name", () => { const n = [...document.querySelectorAll(".dags .cell-name .strong")].map((e) => e.textContent); return n.length > 2 && n.join() === [...n].sort().join(); });
    await pick(["tells", "follows"]);
    await page.click("button:text-is('Pause')");
    await told("2 of 2 DAGs paused");
    check((await ask("dags/tells")).body.is_paused && (await ask("dags/follows")).body.is_paused, "not both");
    await page.click(".chip:has-text('Paused')");
    await until(page, "both", () => document.querySelectorAll(".dags tbody tr").length === 2);
    await pick(["tells", "follows"]);
    await page.click("button:text-is('Activate')");
    await told("2 of 2 DAGs activated");
    await so("both active", async () => !(await ask("dags/tells")).body.is_paused && !(await ask("dags/follows")).body.is_paused);
  }],
  ["runs are filtered by state, time and words, and many are cleared, stopped and marked at once", async () => {
    const broken = await broken_run();
    const [one, two] = [await held_run("bulk"), await held_run("bulk")];
    await open("/dag_runs", "tbody tr");
    await page.click("main .toolbar .chip:has-text('Running')");
    await until(page, "what runs", () => document.querySelectorAll("tbody tr").length === 2);
    await pick([one]);
    await act_on_picked("Stop and mark failed");
    await run_is("gated", one, "failed");
    await page.locator("button:has-text('Clear filters')").click();
    await page.fill("input[aria-label=Filter]", two);
    await until(page, "the one", () => document.querySelectorAll("tbody tr").length === 1);
    await pick([two]);
    await act_on_picked("Mark succeeded");
    await run_is("gated", two, "success");
    await page.fill("input[aria-label=Filter]", `ended:all ${broken}`);
    await until(page, "the other", (id) => document.querySelectorAll("tbody tr").length === 1 && document.querySelector("tbody").textContent.includes(id), broken);
    await pick([broken]);
    await act_on_picked("Clear failed tasks");
    await so("its second try", async () => (await attempt_of(broken, "bad")) === 2);
    await run_ended("breaks", broken);
  }],
  ["a line of text is the filter of task instances: the server answers what it says, and a name is completed from what there is", async () => {
    const run = await broken_run();
    await open(`/task_instances?q=${encodeURIComponent(run)}`, "tbody tr");
    const line = page.locator("input[aria-label=Filter]");
    check((await line.inputValue()) === run, await line.inputValue());
    const names = (what, wanted) => until(page, what, (w) => [...document.querySelectorAll("tbody tr td .strong")].map((a) => a.textContent).sort().join() === w, wanted);
    await names("all of the run", "after,bad,each[0],each[1],each[2],good");
    await line.fill(`state:failed dag:break* try:1 duration:<1h ${run}`);
    await names("what failed", "bad,each[1]");
    await line.fill(`state:failed dag:no* ${run}`);
    await until(page, "nothing of other DAGs", () => document.querySelectorAll("tbody tr").length === 0 && /No task fits/.test(document.querySelector("main").innerText));
    await line.fill(`${run} dag:`);
    await page.keyboard.type("brea");
    await page.click(".filter-line [role=option]:has-text('breaks')");
    await names("the run again", "after,bad,each[0],each[1],each[2],good");
    check((await line.inputValue()) === `${run} dag:breaks `, await line.inputValue());
  }],
  ["a filter that was saved as the default of a list is there in another browser too, and goes when it is deleted", async () => {
    const line = "input[aria-label=Filter]";
    const opens_with = (on, what, words) => until(on, what, ([s, w]) => document.querySelector(s)?.value === w && !document.querySelector(".skeleton"), [line, words]);
    await open("/dag_runs", "main h1");
    await page.fill(line, "state:failed dag:break*");
    await page.click(".menu-anchor:has(.view-name) > button");
    await page.click(".menu button:has-text('Save this filter')");
    await page.fill("#view-name", "what breaks");
    await page.click("dialog label:has-text('whenever I open') input");
    await save();
    await until(page, "it has its name", () => document.querySelector(".view-name").textContent === "what breaks");
    const other = await page_open(browser);
    await sign_in(other.page, base, user, password);
    await other.page.goto(`${base}/dag_runs`);
    await opens_with(other.page, "the default view", "state:failed dag:break*");
    await other.page.click(".menu-anchor:has(.view-name) > button");
    await other.page.click(".menu button:has-text('Manage views')");
    await other.page.click("button[aria-label='Delete what breaks']");
    await until(other.page, "it is gone", () => !document.querySelector("dialog tbody tr"));
    check(!other.defects.length, other.defects.join());
    await other.context.close();
    check((await ask("/api/headrace/v1/me/views")).body.views.length === 0, "the server has it still");
    await open("/dag_runs", "main h1");
    await opens_with(page, "the list without a filter", "");
  }],
  ["what a filter finds is acted on by the server, also what is not shown; what goes on cannot be deleted, and says why", async () => {
    const [ended, held] = [[], await held_run("kept")];
    for (let n = 0; n < 3; n++) ended.push(await trigger("gated", { gate: gate("kept") }));
    for (const run of ended) await ask(`dags/gated/dagRuns/${encodeURIComponent(run)}?update_mask=state`, "PATCH", { state: "failed" });
    for (const run of ended) await run_is("gated", run, "failed");
    const matches = async () => (await ask("/api/headrace/v1/ui/runs?dag_id=gated&limit=0")).body.matches;
    const n = await matches();
    await open("/dag_runs?dag_id=gated&range=all", "tbody tr");
    await pick([held]);
    await page.click("button:has-text('Select all that match')");
    await page.waitForSelector(`b:has-text("All ${n} runs that match")`);
    await page.click("[aria-label='With what is selected'] button:text-is('Delete')");
    await page.fill("#bulk-count", String(n));
    await page.click("dialog footer .danger");
    await until(page, "the report", (n) => document.querySelector(".bulk [role=status]")?.textContent.startsWith(`${n - 1} of ${n} done, 1 refused.`), n);
    await page.click(".bulk-reason summary");
    check((await text(".bulk-reason li a")).includes(held), `refused: ${await text(".bulk-reason")}`);
    check(await matches() === 1 && (await run_of("gated", held)).state === "running", "not all but the one that goes on are gone");
    await page.click(".bulk button:has-text('Dismiss')");
    gate_open("kept");
    await run_is("gated", held, "success");
  }],
  ["tasks are filtered, and many are cleared and marked at once", async () => {
    const run = await broken_run();
    await open(`/task_instances?q=${encodeURIComponent(run)}`, "tbody tr");
    check(await rows() === 6, `${await rows()} rows`);
    await pick(["bad"]);
    await act_on_picked("Mark succeeded");
    await task_is("breaks", run, "bad", "success");
    await pick(["good"]);
    await act_on_picked("Mark failed");
    await task_is("breaks", run, "good", "failed");
    await pick(["good"]);
    await act_on_picked("Clear");
    await so("its second try", async () => (await attempt_of(run, "good")) === 2);
    await run_ended("breaks", run);
    await page.click("main .toolbar .chip:has-text('Failed')");
    await url_has("state=failed");
    await until(page, "what failed", () => [...document.querySelectorAll("tbody tr")].every((r) => /Failed/.test(r.querySelector(".cell-state").textContent)));
  }],
  ["what is done on the server is told in the list, where nothing moves until one asks", async () => {
    await open("/dag_runs", "tbody tr");
    await until(page, "live", () => document.querySelector(".live-live") !== null);
    await settled();
    const first = await text("tbody tr");
    await run_ended("breaks", await broken_run());
    await page.waitForSelector(".pill");
    check(await text("tbody tr") === first, "the first row moved");
    await page.click(".pill");
    await until(page, "the new one is first", (old) => document.querySelector("tbody tr")?.innerText !== old, first);
  }],
  ["a pool is made, changed and deleted; the default one stays", async () => {
    await kept_thing({ page_path: "/pools", api: "pools", id: "narrow", id_field: "name", first: { slots: "3", description: "few" }, then: { slots: "5" }, same: "description" });
    await open("/pools", "tbody tr");
    check(await row_of("default_pool").locator("button:has-text('Delete')").count() === 0, "the default pool can be deleted");
  }],
  ["a variable is made, changed and deleted; one with a secret's name is not shown", async () => {
    await kept_thing({ page_path: "/variables", api: "variables", id: "colour", id_field: "key", first: { value: "green", description: "of the door" }, then: { value: "red" }, same: "description" });
    await ask("variables", "POST", { key: "api_token", value: "t0p" });
    await open("/variables", "tbody tr");
    check(!/t0p/.test(await text("main")), "the secret is shown");
    await row_of("api_token").locator("button:has-text('Edit')").click();
    check(await page.inputValue("#edit-value") === "", "the secret stands in the form");
    await page.keyboard.press("Escape");
  }],
  ["a connection is made, changed and deleted, and its password never shown", async () => {
    await kept_thing({ page_path: "/connections", api: "connections", id: "elsewhere", id_field: "connection_id", first: { conn_type: "http", host: "a.example", login: "ada" }, then: { host: "b.example", password: "s3cret" }, same: "login" });
    await ask("connections", "POST", { connection_id: "guarded", conn_type: "http", host: "a.example", password: "s3cret", extra: '{"token": "t0p"}' });
    await open("/connections", "tbody tr");
    await row_of("guarded").locator("button:has-text('Edit')").click();
    check(await page.inputValue("#edit-password") === "" && await page.inputValue("#edit-extra") === "" && !/s3cret|t0p/.test(await page.content()), "a secret is shown");
    await page.keyboard.press("Escape");
  }],
  ["a form that the server refuses says why and keeps what was written", async () => {
    await open("/pools", "tbody tr");
    await page.click(".actions button.primary");
    await page.fill("#edit-name", "default_pool");
    await page.fill("#edit-slots", "4");
    await save();
    await page.waitForSelector("dialog [role=alert]");
    check(await page.inputValue("#edit-slots") === "4", "the form was emptied");
    await page.keyboard.press("Escape");
  }],
  ["what waits in a queue stands there with its position and why, and in its pool too, until a worker takes it", async () => {
    const worker = (await ask("/api/headrace/v1/workers")).body.workers.find((w) => w.state === "present").name;
    await ask(`/api/headrace/v1/workers/${encodeURIComponent(worker)}/drain`, "POST", {});
    await so("it drains", async () => (await ask("/api/headrace/v1/workers")).body.workers.every((w) => w.state !== "present"));
    const runs = [await trigger("gated", { gate: "/" }), await trigger("gated", { gate: "/" })];
    await so("both wait", async () => (await ask("/api/headrace/v1/waiting?queue=default")).body.total >= 2);
    const shown = () => page.locator("tbody tr").evaluateAll((list) => list.map((r) => [r.cells[0].innerText, r.cells[2].innerText, r.cells[5].innerText]));
    await open("/queues/default", "tbody tr");
    const mine = (await shown()).filter(([, run]) => runs.includes(run));
    check(mine.length === 2 && mine[0][1] === runs[0] && Number(mine[0][0]) + 1 === Number(mine[1][0]) && mine.every(([, , why]) => why === "no worker of queue default has a free slot"), JSON.stringify(mine));
    await open("/pools?open=default_pool", ".pool-use tbody tr");
    check((await page.locator(".pool-use tbody").innerText()).includes(runs[1]), "not in its pool");
    await open("/queues/default", "tbody tr");
    await ask(`/api/headrace/v1/workers/${encodeURIComponent(worker)}/resume`, "POST", {});
    for (const run of runs) await run_ended("gated", run);
    await page.click("button:has-text('read it again')");
    await until(page, "nothing of it waits", (runs) => !runs.some((run) => document.querySelector("main").textContent.includes(run)), runs);
  }],
  ["a worker is drained with a reason, which the audit log keeps, and comes back", async () => {
    await open("/workers", "tbody tr");
    await page.locator("button:has-text('Drain')").first().click();
    await page.fill("#drain-reason", "new kernel");
    await save();
    await until(page, "it drains", () => /Drain(ing|ed)/.test(document.querySelector("tbody tr").textContent));
    await audited("drain_worker", "new kernel");
    await page.locator("button:has-text('Resume')").first().click();
    await until(page, "present", () => /Present/.test(document.querySelector("tbody tr").textContent));
    await page.locator("tbody button.link").first().click();
    await page.waitForSelector("tbody a:has-text('All it has run')");
    await page.click("tbody a:has-text('All it has run')");
    await page.waitForSelector(".chip:has-text('worker')");
    await until(page, "what it ran", () => document.querySelectorAll("tbody tr").length > 3);
    await open("/workers?hours=1", ".uplot, .empty");
    await page.selectOption("main select", "24");
    await url_has("hours=24");
  }],
  ["a worker that works shows its tasks, and the first page counts its slots", async () => {
    const run = await held_run("works");
    await open("/workers", "tbody tr");
    await page.locator("tbody button.link").first().click();
    await page.waitForSelector(".worker-tasks a:has-text('hold')");
    await until(page, "how busy its machine is", () => /\d %.*\d [MG]B of [\d.]+ [MGT]B/.test(document.querySelector("tbody tr").textContent));
    await open("/home", ".health");
    await until(page, "the same on the first page", () => /CPU [\d.]+ %, memory [\d.]+ %/.test(document.querySelector("main").textContent));
    await until(page, "the run", () => /gated/.test([...document.querySelectorAll(".panel")].find((p) => /Running now/.test(p.textContent))?.textContent ?? ""));
    await ask(`dags/gated/dagRuns/${encodeURIComponent(run)}?update_mask=state`, "PATCH", { state: "failed" });
    await run_is("gated", run, "failed");
    await until(page, "no run any more", () => /Nothing is running/.test(document.querySelector("main").textContent));
  }],
  ["notifications are filtered by what became of them", async () => {
    await trigger("tells");
    await so("one failed", async () => (await ask("/api/headrace/v1/notifications?state=failed")).body.total_entries > 0);
    await open("/notifications", "tbody tr");
    await page.click(".chip:has-text('Failed')");
    await page.waitForSelector("tbody tr:has-text('tells') .bad-text");
    await page.click(".chip:has-text('Delivered')");
    await page.waitForSelector(".empty:has-text('None')");
    await page.click("button:has-text('Look again')");
    await page.click(".chip:has-text('All')");
    await page.waitForSelector("tbody tr:has-text('tells')");
  }],
  ["the audit log says who did what to which run", async () => {
    const run = await broken_run();
    await ask(`dags/breaks/dagRuns/${encodeURIComponent(run)}`, "PATCH", { note: "looked at" });
    await open("/events", "tbody tr");
    check(/admin/.test(await text("tbody tr")), await text("tbody tr"));
    await row_of(run).first().waitFor();
    await row_of(run).first().locator(`a:has-text("${run}")`).click();
    await page.waitForSelector(`h1:has-text("${run}")`);
    await page.click(".tabs a:has-text('Audit')");
    await page.waitForSelector("tbody tr");
  }],
  ["settings are found by word, those that were set are told apart, secrets are stars", async () => {
    await open("/settings", "tbody tr");
    await page.fill("main input[type=search]", "give_up");
    await until(page, "the one", () => document.querySelectorAll("tbody tr").length === 1);
    check(/1s/.test(await text("tbody tr")) && /HEADRACE__NOTIFICATIONS__GIVE_UP/.test(await text("tbody tr")), await text("tbody tr"));
    await page.fill("main input[type=search]", "");
    await page.click(".chip:has-text('Not the default')");
    await until(page, "only what was set", () => [...document.querySelectorAll("tbody .tag")].every((t) => t.textContent !== "default"));
  }],
  ["users are listed with their roles, and one who may only look finds nothing to press", async () => {
    await ask("/api/headrace/v1/users", "POST", { username: "looks", password: "only-looking", role: "Viewer" });
    await open("/security", "tbody tr");
    check(/Viewer/.test(await row_of("looks").innerText()) && /Admin/.test(await row_of("admin").innerText()), "not both with their roles");
    const { page_open, browser_open, sign_in } = await import("./browser.mjs");
    const other = await browser_open();
    const { page: his } = await page_open(other);
    await sign_in(his, base, "looks", "only-looking");
    for (const path of ["/dags", "/dags/breaks", "/dag_runs", "/workers", "/pools"]) {
      await his.goto(base + path);
      await loaded(his, path);
      const found = (await his.locator("main :is(button, a)").allInnerTexts()).filter((words) => /^(Trigger|Clear…|Clear failed…|Mark…|Drain…|New |Edit$|Delete)/.test(words));
      check(!found.length, `${path}: ${found}`);
      check(await his.locator("main .switch:not([disabled])").count() === 0, `${path}: a switch that can be pressed`);
    }
    await other.close();
  }],
  ["the search finds DAGs, tasks, runs and pages, and goes there", async () => {
    const found = async (words, wanted, path) => {
      await page.keyboard.press("Control+k");
      await page.waitForSelector(".palette input");
      await page.keyboard.type(words);
      await until(page, wanted, (w) => document.querySelector("#palette-list li[aria-selected=true]")?.textContent.includes(w), wanted);
      await page.keyboard.press("Enter");
      await until(page, path, (p) => location.pathname.includes(p), path);
    };
    await open("/home", ".health");
    await found("gated", "gated", "/dags/gated");
    await found("hold", "task of gated", "/dags/gated/tasks/hold");
    await found("Settings", "Settings", "/settings");
    await found("Failed tasks", "Failed tasks", "/task_instances");
  }],
  ["the sheet of keys, the zone and the theme", async () => {
    await open("/dags/breaks", ".grid-row");
    await page.keyboard.press("?");
    await page.waitForSelector("dialog:has-text('Trigger a run')");
    await page.keyboard.press("Escape");
    await page.keyboard.press("g");
    await page.keyboard.press("w");
    await until(page, "workers", () => location.pathname === "/workers");
    await page.click("button[aria-label^='Time zone']");
    await page.click(".menu button:has-text('Asia/Tokyo')");
    await open("/dag_runs", "tbody tr");
    const started = new Date((await run_of("breaks", (await ask("dags/breaks/dagRuns?order_by=-run_after&limit=1")).body.dag_runs[0].dag_run_id)).start_date);
    const hour = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Tokyo", hour: "2-digit", minute: "2-digit", hour12: false }).format(started);
    check((await row_of("breaks").first().innerText()).includes(hour), `no ${hour} in ${await row_of("breaks").first().innerText()}`);
    await page.click("button[aria-label^='Theme']");
    await until(page, "dark", () => document.documentElement.dataset.theme === "dark");
    await page.reload();
    await until(page, "still dark", () => document.documentElement.dataset.theme === "dark");
  }],
];

await walk(cases);
