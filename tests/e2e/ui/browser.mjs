// SPDX-License-Identifier: Apache-2.0
// browser - Chromium, a signed-in page, named checks, and what counts as a defect on every page: an error of a script, a
// breach of the content policy, an answer that failed.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../../ui/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const AXE = require.resolve("axe-core/axe.min.js");
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

// A machine with other work to do is slow, not wrong.
const PATIENCE = Number(process.env.HEADRACE_UI_PATIENCE_MS ?? 150_000);

export const WIDE = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

export async function browser_open() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

/* A page of its own context; `defects` fills with what must not happen. `expected` are texts of console errors that may. */
export async function page_open(browser, { theme = "light", size = WIDE, csp = true } = {}) {
  const context = await browser.newContext({ viewport: size, colorScheme: theme, timezoneId: "Europe/Berlin", bypassCSP: !csp, reducedMotion: "reduce" });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]).catch(() => undefined);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const defects = [];
  page.on("pageerror", (error) => defects.push(`script: ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !/status of (401|403|404|409|422)|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|ERR_CONNECTION/.test(text)) defects.push(`console: ${text} ${message.location().url}`);
  });
  await page.addInitScript(() => addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sample}`)));
  return { context, page, defects };
}

export async function sign_in(page, base, user, password) {
  await page.goto(`${base}/`);
  await page.fill("#username", user);
  await page.fill("#password", password);
  await page.click("button:has-text('Sign in')");
  await page.waitForSelector("header.topbar");
}

/* axe stands in every document of `page`, which must have been opened without its content policy. */
export async function axe_install(page) {
  await page.addInitScript({ path: AXE });
}

/* What axe finds, as sentences. `rules`: only those; all that WCAG 2.2 AA and good practice ask for otherwise. Rows of a
 * table or grid after the 12th are left out: they are made as the first ones are, and a thousand of them cost minutes. */
export async function axe_findings(page, rules) {
  const result = await page.evaluate((rules) => window.axe.run(
    { include: [["html"]], exclude: [["tbody tr:nth-child(n+13)"], [".grid-row:nth-child(n+13)"], [".log-line:nth-child(n+13)"]] },
    { runOnly: rules ?? ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"], preload: false },
  ), rules && { type: "rule", values: rules });
  return result.violations.flatMap((v) => v.nodes.slice(0, 4).map((n) => `${v.id} (${v.impact}): ${n.target.join(" ")}: ${n.failureSummary.split("\n").slice(1, 3).join(" ").trim()}`));
}

export async function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}

/* Waits until `probe` gives something true, asking on each frame of the page. */
export async function until(page, what, probe, argument, timeout = PATIENCE) {
  try {
    return await page.waitForFunction(probe, argument, { timeout });
  } catch {
    throw new Error(`${what}: did not come within ${timeout / 1000} s`);
  }
}

export function check(ok, sentence) {
  if (!ok) throw new Error(sentence);
}

/* Runs the cases in order; one that fails is told with its reason, and the others still run. The first one runs whatever
 * cases are asked for when it `signs_in`. */
export async function run_cases(cases, after_each, signs_in = true) {
  let failed = 0, ran = 0;
  const only = process.argv.slice(2).filter((a) => !a.startsWith("-"));
  for (const [i, [name, body]] of cases.entries()) {
    if (!(signs_in && i === 0) && only.length && !only.some((o) => name.includes(o))) continue;
    const started = Date.now();
    ran++;
    try {
      await body();
      const defects = after_each ? after_each() : [];
      if (defects.length) throw new Error(defects.join("\n    "));
      console.log(`ok    ${name} (${Date.now() - started} ms)`);
    } catch (error) {
      failed++;
      console.log(`FAIL  ${name}\n    ${error.message}`);
    }
  }
  console.log(failed ? `${failed} of ${ran} failed` : `all ${ran} passed`);
  return failed;
}
