// SPDX-License-Identifier: Apache-2.0
// audit - what axe and a ruler find on one page: light, dark, on a phone. The page was opened without its content policy.
import { axe_findings, overflow, PHONE, until, WIDE } from "./browser.mjs";

const COLOUR_RULES = ["color-contrast", "link-in-text-block"];

/* What differs between themes is colour alone; on a phone anything may. One load of a page serves all three. `opens`: what is done
 * on the page first, so that what it opens is looked at too. */
export async function page_audited(page, base, path, findings, opens = async () => {}) {
  const found = async (where, rules) => findings.push(...(await axe_findings(page, rules)).map((f) => `${path}, ${where}: ${f}`));
  const too_wide = async (where) => { const px = await overflow(page); if (px > 0) findings.push(`${path}, ${where}: ${px} px too wide`); };
  await page.setViewportSize(WIDE);
  await page.goto(base + path);
  await until(page, `${path} is loaded`, () => document.querySelector("main h1, main .empty") && !document.querySelector(".skeleton"));
  await opens(page);
  await found("light");
  await too_wide("light");
  await page.evaluate(() => { document.documentElement.dataset.theme = "dark"; });
  await found("dark", COLOUR_RULES);
  await page.evaluate(() => { document.documentElement.dataset.theme = "light"; });
  await page.setViewportSize(PHONE);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await found("phone");
  await too_wide("phone");
}
