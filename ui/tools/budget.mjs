// SPDX-License-Identifier: Apache-2.0
// What the first load costs, gzip: all that index.html names and what those modules import at once. Fails above the budget.
import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_SHELL = 110_000;

const size = (name) => gzipSync(readFileSync(`dist/${name}`), { level: 9 }).length;
const html = readFileSync("dist/index.html", "utf8");
const first = new Set([...html.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map((m) => m[1]));
for (const name of first) {
  if (!name.endsWith(".js")) continue;
  for (const m of readFileSync(`dist/${name}`, "utf8").matchAll(/(?:^|[;}])import\s*(?:[^"'()]*?from\s*)?["']\.\/([^"']+)["']/g)) first.add(`assets/${m[1]}`);
}

let total = 0;
for (const name of first) { total += size(name); console.log(`first  ${String(size(name)).padStart(7)}  ${name}`); }
for (const file of readdirSync("dist/assets").filter((f) => /\.(js|css)$/.test(f) && !first.has(`assets/${f}`)).sort())
  console.log(`later  ${String(size(`assets/${file}`)).padStart(7)}  assets/${file}`);
console.log(`first load ${total} of ${BUDGET_SHELL} bytes gzip`);
if (total > BUDGET_SHELL) process.exit(1);
