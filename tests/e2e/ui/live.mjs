// SPDX-License-Identifier: Apache-2.0
// live - what the walks through a running system share: node WALK.mjs URL USER PASSWORD [CASE...]. A signed-in browser, and the
// server asked beside it, so that what a page says is held against what is so.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { browser_open, page_open, run_cases, sign_in, until } from "./browser.mjs";

const [base, user, password] = process.argv.slice(2, 5);
process.argv.splice(2, 3);
const PATIENCE_MS = Number(process.env.HEADRACE_UI_PATIENCE_MS ?? 90_000);
const gates = mkdtempSync(join(tmpdir(), "hr-ui-gate-"));

export { base, user, password };
export const browser = await browser_open();
export const { page, context, defects } = await page_open(browser);
export const text = (selector) => page.locator(selector).first().innerText();
export const open = async (path, selector) => { await page.goto(base + path); await page.waitForSelector(selector); };
export const run_path = (dag, run) => `/dags/${dag}/runs/${encodeURIComponent(run)}`;

/* A file that tasks wait for: its path, and it comes when it is opened. */
export const gate = (name) => join(gates, name);
export const gate_open = (name) => writeFileSync(gate(name), "");

async function token_of(name, secret) {
  const answer = await fetch(`${base}/auth/token`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ username: name, password: secret }) });
  return (await answer.json()).access_token;
}

const token = await token_of(user, password);

/* What the server says without a browser: {status, body}. Paths without a leading slash are below /api/v2. */
export async function ask(path, method = "GET", body) {
  const answer = await fetch(base + (path.startsWith("/") ? path : `/api/v2/${path}`), { method, headers: { Authorization: `Bearer ${token}`, ...(body ? { "Content-Type": "application/json" } : {}) }, body: body && JSON.stringify(body) });
  const said = await answer.text();
  return { status: answer.status, body: said.startsWith("{") ? JSON.parse(said) : said };
}

/* Asks until `probe` gives something true, and gives that. */
export async function so(what, probe) {
  for (const limit = Date.now() + PATIENCE_MS; Date.now() < limit; await new Promise((done) => setTimeout(done, 100))) {
    const found = await probe();
    if (found) return found;
  }
  throw new Error(`${what}: was not so within ${PATIENCE_MS / 1000} s`);
}

/* A run of `dag`, without a logical date unless `more` has one. */
export async function trigger(dag, conf = {}, more = {}) {
  const { status, body } = await ask(`dags/${dag}/dagRuns`, "POST", { logical_date: null, conf, ...more });
  if (status !== 200) throw new Error(`no run of ${dag}: ${status} ${JSON.stringify(body)}`);
  return body.dag_run_id;
}

export const run_of = async (dag, run) => (await ask(`dags/${dag}/dagRuns/${encodeURIComponent(run)}`)).body;
export const run_is = (dag, run, wanted) => so(`${dag} ${run} is ${wanted}`, async () => (await run_of(dag, run)).state === wanted);
export const run_ended = (dag, run) => so(`the end of ${dag} ${run}`, async () => ["success", "failed"].includes((await run_of(dag, run)).state));
export const states_of = async (dag, run) => Object.fromEntries((await ask(`dags/${dag}/dagRuns/${encodeURIComponent(run)}/taskInstances?limit=100`)).body.task_instances.map((t) => [t.map_index < 0 ? t.task_id : `${t.task_id}[${t.map_index}]`, t.state]));
export const task_is = (dag, run, task, wanted) => so(`${task} is ${wanted}`, async () => (await states_of(dag, run))[task] === wanted);

/* A toast says `words`. */
export const told = (words) => until(page, `the word "${words}"`, (w) => [...document.querySelectorAll(".toast")].some((t) => t.textContent.includes(w)), words);
export const loaded = (on, what) => until(on, `${what} is loaded`, () => document.querySelector("main h1, main .empty") && !document.querySelector(".skeleton, .chart-space"));

/* What was read before the stream began is read once more; then nothing is asked for until something happens. */
export const settled = () => until(page, "the page has read what it needs", () => performance.now() - Math.max(0, ...performance.getEntriesByType("resource").map((r) => r.responseEnd)) > 1500);

/* Signs in, runs the cases, and ends the program with their outcome. */
export async function walk(cases) {
  await sign_in(page, base, user, password);
  const failed = await run_cases(cases, () => defects.splice(0), false);
  await browser.close();
  rmSync(gates, { recursive: true, force: true });
  process.exit(failed ? 1 : 0);
}
