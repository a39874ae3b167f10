// SPDX-License-Identifier: Apache-2.0
// Who may do what, driven in the browser and then tried: an account, a grant, a token, each by its page; the one who got them
// signs in, and finds what they were given and nothing else.
import { browser_open, check, page_open, sign_in, until } from "./browser.mjs";
import { ask, base, loaded, open, page, run_ended, so, text, told, trigger, walk } from "./live.mjs";

const NAME = "grace", PASSWORD = "her-own-password", LATER = "another-password";
const users = async () => (await ask("/api/headrace/v1/users")).body.users;
const account = async () => (await users()).find((u) => u.username === NAME);
const row_of = (words) => page.locator(`tbody tr:has-text("${words}")`);
const menu = async (what) => { await page.click(`[aria-label='What can be done with ${NAME}']`); await page.click(`.menu button:has-text('${what}')`); };
const as_token = async (token, path, method = "GET", body) => (await fetch(`${base}/api/v2/${path}`, { method, headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }, body: body && JSON.stringify(body) })).status;

/* What `look` does with a page of hers, signed in by herself. */
async function as_her(password, look) {
  const her_browser = await browser_open();
  try {
    const { page: hers, defects } = await page_open(her_browser);
    await sign_in(hers, base, NAME, password);
    await look(hers);
    check(!defects.length, defects.join("\n    "));
  } finally {
    await her_browser.close();
  }
}

async function dags_of(hers) {
  await hers.goto(`${base}/dags`);
  await loaded(hers, "her DAGs");
  return hers.locator(".dags .cell-name .strong").allInnerTexts();
}

let token = "";

const cases = [
  ["an account is made, and sees nothing while nothing is granted", async () => {
    await open("/security", "tbody tr");
    await page.click("button:has-text('New user')");
    await page.fill("#user-username", NAME);
    await page.fill("#user-password", PASSWORD);
    await page.selectOption("#user-role", "Public");
    await page.fill("#user-email", "grace@example.org");
    await page.click("dialog button:has-text('Create user')");
    await row_of(NAME).waitFor();
    check((await account()).role === "Public", JSON.stringify(await account()));
    await as_her(PASSWORD, async (hers) => check((await dags_of(hers)).length === 0, "she sees DAGs"));
  }],
  ["a name that is taken is refused in the form", async () => {
    await page.click("button:has-text('New user')");
    await page.fill("#user-username", NAME);
    await page.fill("#user-password", PASSWORD);
    await page.click("dialog button:has-text('Create user')");
    await page.waitForSelector("dialog [role=alert]");
    check((await text("dialog [role=alert]")).includes(NAME), await text("dialog [role=alert]"));
    await page.keyboard.press("Escape");
  }],
  ["a grant that cannot be meant is refused in words; the right one shows her that DAG alone", async () => {
    await open("/security/grants", "main .empty, tbody tr");
    await page.click("button:has-text('New grant')");
    await page.waitForSelector(`#grant-to option:text-is('${NAME}')`, { state: "attached" });
    await page.selectOption("#grant-to", NAME);
    await page.fill("#grant-dags", "gat*");
    await page.click("dialog button:text-is('Grant')");
    await page.waitForSelector("dialog [role=alert]");
    await page.fill("#grant-dags", "gated");
    await page.click("dialog button:text-is('Grant')");
    await row_of("gated").waitFor();
    check(/User/.test(await row_of("gated").innerText()) && (await account()).grants === 1, "not as it was given");
    await as_her(PASSWORD, async (hers) => {
      const seen = await dags_of(hers);
      check(seen.join() === "gated", `she sees: ${seen}`);
      await hers.goto(`${base}/dags/gated`);
      await hers.click("button.primary:has-text('Trigger')");
      await hers.click("dialog button.primary:has-text('Trigger')");
      await hers.waitForURL(/\/dags\/gated\/runs\/./);
      const run = decodeURIComponent(hers.url().split("/runs/")[1].split(/[/?]/)[0]);
      await so("her run is there", async () => (await ask(`/api/v2/dags/gated/dagRuns/${encodeURIComponent(run)}`)).body.triggering_user_name === NAME);
      await ask(`/api/v2/dags/gated/dagRuns/${encodeURIComponent(run)}`, "PATCH", { state: "failed" });
      await hers.goto(`${base}/dags/breaks`);
      await until(hers, "that there is no such DAG", () => /no DAG|not found|There is no|does not exist/i.test(document.querySelector("main")?.textContent ?? ""));
    });
  }],
  ["a list offers her with each DAG what her grants allow there, and nothing else", async () => {
    const { id } = (await ask("/api/headrace/v1/grants", "POST", { username: NAME, dags: "breaks", level: "Viewer" })).body;
    await run_ended("breaks", await trigger("breaks"));
    await as_her(PASSWORD, async (hers) => {
      check((await dags_of(hers)).sort().join() === "breaks,gated", "she does not see both");
      await until(hers, "what may be triggered", () => document.querySelector("[aria-label='Trigger gated']") !== null);
      const offered = await hers.evaluate(() => Object.fromEntries([...document.querySelectorAll(".dags tbody tr")].map((r) => [r.querySelector(".cell-name .strong").textContent, [r.querySelector("[role=switch]").disabled, r.querySelectorAll("[aria-label^=Trigger]").length, r.querySelectorAll("[type=checkbox]").length]])));
      check(JSON.stringify([offered.gated, offered.breaks]) === "[[false,1,1],[true,0,0]]", JSON.stringify(offered));
      await hers.click(".dags [role=switch]:not([disabled])");
      await so("it is paused", async () => (await ask("/api/v2/dags/gated")).body.is_paused);
      await ask("/api/v2/dags/gated?update_mask=is_paused", "PATCH", { is_paused: false });
      await hers.keyboard.press("Control+k");
      await hers.fill(".palette input", "trigger a");
      await until(hers, "the command for gated", () => /Trigger gated/.test(document.querySelector("#palette-list")?.textContent ?? ""));
      check(!/Trigger breaks/.test(await hers.innerText("#palette-list")), "the palette offers what she may not do");
      await hers.goto(`${base}/dag_runs?range=all`);
      await loaded(hers, "her runs");
      await until(hers, "what may be selected", () => document.querySelector("main tbody [type=checkbox]"));
      const rows = await hers.evaluate(() => [...document.querySelectorAll("main tbody tr")].map((r) => [r.textContent.includes("gated"), r.querySelectorAll("[type=checkbox]").length]));
      check(new Set(rows.map(([may]) => may)).size === 2 && rows.every(([may, boxes]) => boxes === (may ? 1 : 0)), `not each by its DAG: ${JSON.stringify(rows)}`);
    });
    await ask(`/api/headrace/v1/grants/${id}`, "DELETE");
  }],
  ["her lists have nothing of what others ran, and she finds no page of who may do what", async () => {
    await as_her(PASSWORD, async (hers) => {
      for (const path of ["/dag_runs?range=all", "/task_instances?range=all", "/home"]) {
        await hers.goto(base + path);
        await loaded(hers, path);
        check(!/breaks/.test(await hers.innerText("main")), `${path} speaks of breaks`);
      }
      await hers.goto(`${base}/security`);
      await loaded(hers, "/security");
      check(!/admin/.test((await hers.locator("main tbody").allInnerTexts()).join()), "she sees the accounts");
    });
  }],
  ["what each role may is a table, as the server has it", async () => {
    await open("/security/roles", "tbody tr");
    const { roles, rights } = (await ask("/api/headrace/v1/roles")).body;
    const said = await page.evaluate(() => [...document.querySelectorAll("tbody tr")].map((r) => [r.cells[0].textContent, [...r.cells].slice(1).filter((c) => c.textContent === "✓").length]));
    check(JSON.stringify(said) === JSON.stringify(rights.map(({ right }) => [right, roles.filter((r) => r.rights.includes(right)).length])), JSON.stringify(said));
  }],
  ["a token is made that may only read, is shown once, does that and no more, and is refused once revoked", async () => {
    await open("/account", "main h1");
    await page.click("button:has-text('New token')");
    await page.fill("#token-name", "ci");
    await page.click("label:has-text('Only to read')");
    await page.fill("#token-dags", "gated");
    await page.click("button:has-text('Make token')");
    token = await page.inputValue("[aria-label=Token]");
    await page.click("button:has-text('I have kept it')");
    await row_of("ci").waitFor();
    check(!(await page.content()).includes(token), "it is still shown");
    const may = [await as_token(token, "dags/gated"), await as_token(token, "dags/breaks"), await as_token(token, "dags/gated/dagRuns", "POST", { logical_date: null })];
    check(may.join() === "200,404,403", `it got ${may}`);
    await page.click("[aria-label='Revoke ci']");
    await page.click("dialog button:has-text('Revoke token')");
    await told("ci was revoked");
    check(await as_token(token, "dags/gated") === 401, "it is still let in");
  }],
  ["she changes her password herself, and where else she is signed in is ended", async () => {
    await as_her(PASSWORD, async (hers) => {
      await hers.goto(`${base}/account`);
      await hers.waitForSelector("td:has-text('this one'), span:has-text('this one')");
      await hers.click("button:has-text('Change password')");
      await hers.fill("#password-now", "not that");
      await hers.fill("#password-new", LATER);
      await hers.fill("#password-again", LATER);
      await hers.click("dialog button.primary");
      await hers.waitForSelector("dialog [role=alert]");
      await hers.fill("#password-now", PASSWORD);
      await hers.click("dialog button.primary");
      await hers.waitForSelector("#username");
    });
    await as_her(LATER, async () => check((await account()).sessions === 1, "her other sessions go on"));
  }],
  ["a grant that is taken back, an account that is disabled and one that is deleted: each at once", async () => {
    await as_her(LATER, async (hers) => {
      await open("/security/grants", "tbody tr");
      await page.click("[aria-label='Take back User on gated']");
      await told("taken back");
      check((await dags_of(hers)).length === 0, "she still sees it");
      await open("/security", "tbody tr");
      await menu("Disable");
      await told(`${NAME} was disabled`);
      await hers.goto(`${base}/dags`);
      await hers.waitForSelector("#username");
      await hers.fill("#username", NAME);
      await hers.fill("#password", LATER);
      await hers.click("button:has-text('Sign in')");
      await hers.waitForSelector("[role=alert]");
    });
    await menu("Delete");
    await page.fill("#delete-user", NAME);
    await page.click("dialog button:has-text('Delete user')");
    await so("she is gone", async () => !(await account()));
  }],
  ["the last administrator stays one", async () => {
    await open("/security", "tbody tr");
    await page.click("[aria-label='What can be done with admin']");
    await page.click(".menu button:has-text('Disable')");
    await told("last administrator");
    check(!(await users()).find((u) => u.username === "admin").disabled, "it was disabled");
  }],
];

await walk(cases);
