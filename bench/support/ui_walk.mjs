// SPDX-License-Identifier: Apache-2.0
// What a browser sees, timed inside the page (each also told on the way, on standard error): node ui_walk.mjs sizes|changes|airflow URL USER PASSWORD prints [[what, kind, [ms]]].
import { browser_open, page_open, sign_in, until } from "../../tests/e2e/ui/browser.mjs";

const [walk, base, user, password] = process.argv.slice(2);
const ROUNDS = 9;
const browser = await browser_open();
const { page } = await page_open(browser, { csp: false }); // the page evaluates what is measured
page.setDefaultTimeout(120_000);
if (walk !== "airflow") await sign_in(page, base, user, password);
const found = [];
const told = (row) => { found.push(row); console.error(`${row[0]}: ${row[2].map(Math.round).join(" ")}`); };

/* From the request of the page to the frame in which `selector` is there. */
async function content(what, path, selector, rounds = ROUNDS) {
  const times = [];
  for (let n = 0; n < rounds; n++) {
    await page.goto("about:blank");
    await page.goto(base + path, { waitUntil: "commit" });
    times.push(await page.evaluate((s) => new Promise((done) => {
      const look = () => (document.querySelector(s) ? done(performance.now()) : requestAnimationFrame(look));
      look();
    }), selector));
  }
  told([`${what}: first content`, "content", times]);
}

/* `act` is done in the page; then to the frame in which `is_done` holds, which it must not before. Both are functions of the
 * round, and know nothing but the page. */
async function interaction(what, act, is_done, { kind = "interaction", rounds = ROUNDS, before } = {}) {
  const times = [];
  for (let n = 0; n < rounds; n++) {
    await before?.();
    times.push(await page.evaluate(([act, is_done, n]) => new Promise((done, refuse) => {
      const [a, d] = [(0, eval)(act), (0, eval)(is_done)];
      if (d(n)) refuse(new Error(`it is so before anything is done: ${is_done}`));
      const started = performance.now();
      a(n);
      const look = () => requestAnimationFrame(() => (d(n) ? done(performance.now() - started) : look()));
      look();
    }), [String(act), String(is_done), n]));
  }
  told([what, kind, times]);
}

/* All 5 000 rows, which the filter leaves open. */
async function grid() {
  await page.goto(`${base}/dags/large?q=task`);
  await page.waitForSelector(".grid-row .cell");
  await interaction("5 000 tasks x 25 runs: scrolled by 400 rows",
    (n) => { document.querySelector(".grid").scrollTop = 9600 * (n + 1); },
    (n) => [...document.querySelectorAll(".grid-row")].some((r) => r.style.display !== "none" && r.dataset.i === String(400 * (n + 1) + 10) && r.querySelector(".cell").className.includes("st-")));
  const box = await page.locator(".grid").boundingBox();
  await page.mouse.click(box.x + 300, box.y + box.height / 2);
  await interaction("5 000 tasks x 25 runs: a row further by key",
    (n) => { window.round = n; window.row_before = document.activeElement.closest(".grid-row").dataset.i; document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true })); },
    (n) => { const row = document.activeElement.closest(".grid-row"); return window.round === n && row?.dataset.i === String(Number(window.row_before) + 1); });
  await interaction("5 000 tasks x 25 runs: only those with failures, then all",
    (n) => [...document.querySelectorAll("main .toolbar .chip")].find((c) => c.textContent === (n % 2 ? "All tasks" : "With failures")).click(),
    (n) => (Number(document.querySelector(".grid").getAttribute("aria-rowcount")) < 1000) === (n % 2 === 0));
}

/* Typed to found, past the two thirds of the lines that do not have it. */
async function finding() {
  const times = [];
  for (let n = 0; n < 3; n++) {
    const wanted = `line ${700_000 + n * 7} `;
    await page.goto(`${base}/dags/talks/runs/long/tasks/much`);
    await page.waitForSelector(".log-line");
    await page.fill(".log-find", wanted);
    const started = Date.now();
    await page.keyboard.press("Enter");
    await until(page, wanted, (w) => document.querySelector(".log-line.marked")?.textContent.includes(w), wanted, 60_000);
    times.push(Date.now() - started);
  }
  told(["log of 1 000 000 lines: found", "content", times]);
}

/* Airflow's own page of the same DAG: to the frame with the state of a group of tasks in a run, as on ours. */
async function airflow() {
  await content("Airflow: 5 000 tasks x 25 runs", "/dags/large", "a[href*='/runs/'][href*='/tasks/group/']", 3);
}

async function sizes() {
  await content("10 000 DAGs", "/dags", ".dags tbody tr:nth-child(30)");
  const typing = [];
  for (let n = 0; n < ROUNDS; n++) { // a letter to the answer: the wait for the next letter (120 ms) is part of what one feels
    const wanted = `dag_0${1000 + n * 7}`;
    const started = Date.now();
    await page.fill("main input[type=search]", wanted);
    await until(page, "the one DAG", (w) => document.querySelectorAll(".dags tbody tr").length === 1 && document.querySelector(".dags .cell-name").textContent.includes(w), wanted, 60_000);
    typing.push(Date.now() - started);
  }
  told(["10 000 DAGs: typed to found", "content", typing]);

  await content("5 000 tasks x 25 runs", "/dags/large", ".grid-row .cell");
  await grid();
  await content("graph of 5 000 tasks", "/dags/large/graph", ".react-flow__node");
  await page.waitForSelector(".react-flow__node .folded");
  await interaction("graph of 5 000 tasks: a group of 100 opened",
    (n) => { const folded = document.querySelector(".react-flow__node .folded"); window.round = n; window.opened = folded.querySelector(".node-name").textContent; folded.click(); },
    (n) => window.round === n && [...document.querySelectorAll(".react-flow__node .box-name")].some((b) => b.textContent.endsWith(window.opened)), { rounds: 5, before: async () => { await page.click(".react-flow__controls-fitview"); await page.waitForSelector(".react-flow__node .folded"); } });
  await content("100 000 mapped instances", "/dags/mapped/runs/wide/tasks/each", ".map canvas");
  await page.waitForSelector("tbody tr");
  const failed = (n) => { const rows = [...document.querySelectorAll("tbody tr")]; return rows.length > 0 && rows.every((r) => /Failed/.test(r.textContent)) === (n % 2 === 0); };
  await interaction("100 000 mapped instances: those that failed, then all", (n) => [...document.querySelectorAll("main .toolbar .chip")].find((c) => c.textContent.startsWith(n % 2 ? "All" : "Failed")).click(), failed, { kind: "content" });
  await content("log of 1 000 000 lines", "/dags/talks/runs/long/tasks/much", ".log-line");
  await page.focus(".log-scroll");
  await interaction("log of 1 000 000 lines: jumped", (n) => { const e = document.querySelector(".log-scroll"); e.dispatchEvent(new KeyboardEvent("keydown", { key: n % 2 ? "End" : "Home", bubbles: true })); }, (n) => (n % 2 ? [...document.querySelectorAll(".log-n")].some((l) => l.textContent === "1000000") : document.querySelector(".log-n")?.textContent === "1") );
  await finding();
  await content("runs of all DAGs", "/dag_runs", "main tbody tr");
  await content("home", "/home", ".health");
}

async function changes() {
  await page.goto(`${base}/dags/chain`);
  await page.waitForSelector("main h1");
  await page.keyboard.press("t");
  await page.click("dialog button:has-text('Trigger run')");
  await page.waitForSelector(".tasks tbody tr");
  const seen = await page.evaluate(() => new Promise((done) => {
    const at = {};
    const look = () => {
      for (const row of document.querySelectorAll(".tasks tbody tr")) {
        const name = row.querySelector("a.strong, a")?.textContent;
        if (name && !at[name] && /Succeeded/.test(row.textContent)) at[name] = Date.now();
      }
      if (Object.keys(at).length === 20) done(at);
      else requestAnimationFrame(look);
    };
    look();
  }));
  const run = decodeURIComponent(page.url().split("/runs/")[1]);
  const ended = await page.evaluate(async (run) => {
    const p = await (await fetch(`/api/headrace/v1/ui/run/chain/${encodeURIComponent(run)}`)).json();
    return p.end;
  }, run);
  const times = Object.entries(seen).map(([name, at]) => at - ended[Number(name.slice(1))]);
  told(["a task's end to its new state on the screen", "change", times]);
}

await { sizes, changes, airflow }[walk]();
await browser.close();
console.log(JSON.stringify(found));
