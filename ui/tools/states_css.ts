// SPDX-License-Identifier: Apache-2.0
/* The style sheet of the states, made from src/states.ts at build time. `.st-NAME` sets variables on whatever bears it:
 * --st (the colour), --st-fill, --st-ink (the glyph on the fill), --st-glyph (a mask), --st-line (border style). */
import { ABSENT, TASK_STATES, type State } from "../src/states.ts";

function glyph_url(path: string): string {
  if (!path) return "none";
  const svg = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 12 12' fill='none' stroke='#000' stroke-width='1.7' stroke-linecap='round' stroke-linejoin='round'><path d='${path}'/></svg>`;
  return `url("data:image/svg+xml,${encodeURIComponent(svg).replace(/%20/g, " ").replace(/'/g, "%27")}")`;
}

function colours(s: State, theme: "light" | "dark"): string {
  const colour = s[theme];
  const tint = (theme === "light" ? s.lightTint : s.darkTint) ?? "transparent";
  const fill = { solid: colour, ring: colour, tint, outline: "transparent", dashed: "transparent", thin: "transparent" }[s.fill];
  const ink = s.fill === "solid" || s.fill === "ring" ? (theme === "light" ? "#FFFFFF" : "#0F1216") : colour;
  return `--st:${colour};--st-fill:${fill};--st-ink:${ink}`;
}

function shape(s: State): string {
  const line = s.fill === "dashed" ? "dashed" : "solid";
  const empty = s.glyph ? "" : ";--st-dot:0";
  return `--st-line:${line};--st-glyph:${glyph_url(s.glyph)}${empty}`;
}

export function statesCss(): string {
  const all = [...TASK_STATES, ABSENT];
  const rules = all.map((s) => `.st-${s.name}{${shape(s)}}`);
  const light = all.map((s) => `.st-${s.name}{${colours(s, "light")}}`);
  const dark = all.map((s) => `[data-theme=dark] .st-${s.name}{${colours(s, "dark")}}`);
  return [...rules, ...light, ...dark].join("\n");
}
