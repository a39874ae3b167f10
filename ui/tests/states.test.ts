// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { statesCss } from "../tools/states_css.ts";
import { ABSENT, count_groups, is_final, letter_of, state_of, state_of_letter, TASK_STATES, worst_letter, WORST } from "../src/states.ts";

const header = readFileSync(new URL("../../common/model/state.h", import.meta.url), "utf8");
const in_c = [...header.matchAll(/^\s*TASK_([A-Z_]+) = (\d+),/gm)].filter((m) => m[1] !== "ANY");

function channel(v: number): number { return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => channel(parseInt(hex.slice(i, i + 2), 16) / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
}

describe("the table of states", () => {
  test("has the states of common/model/state.h, at their numbers", () => {
    expect(in_c.length).toBeGreaterThan(10);
    for (const [, name, number] of in_c) expect(TASK_STATES[Number(number)]?.name).toBe(name.toLowerCase());
    expect(TASK_STATES.length).toBe(in_c.length);
  });
  test("has the letters of docs/api/ui.md, each once", () => {
    expect(TASK_STATES.map((s) => s.letter).join("")).toBe(".oqrsfkuycdxz");
    expect(readFileSync(new URL("../../docs/api/ui.md", import.meta.url), "utf8")).toContain("\n      .oqrsfkuycdxz ");
  });
  test("no two states look alike without colour", () => {
    const looks = TASK_STATES.map((s) => `${s.fill} ${s.glyph}`);
    expect(new Set(looks).size).toBe(looks.length);
  });
  test.each(TASK_STATES)("$name is readable on both surfaces of both themes", (s) => {
    for (const surface of ["#FFFFFF", "#F6F7F9"]) expect(contrast(s.light, surface)).toBeGreaterThanOrEqual(4.4);
    for (const surface of ["#0F1216", "#181C22"]) expect(contrast(s.dark, surface)).toBeGreaterThanOrEqual(4.5);
    if (s.fill === "solid" || s.fill === "ring") { expect(contrast(s.light, "#FFFFFF")).toBeGreaterThan(4.5); expect(contrast(s.dark, "#0F1216")).toBeGreaterThan(4.5); }
    if (s.lightTint) { expect(contrast(s.light, s.lightTint)).toBeGreaterThan(4.5); expect(contrast(s.dark, s.darkTint!)).toBeGreaterThan(4.5); }
  });
  test("every state has a rule in the style sheet of both themes", () => {
    const css = statesCss();
    for (const s of [...TASK_STATES, ABSENT]) { expect(css).toContain(`\n.st-${s.name}{--st:${s.light}`); expect(css).toContain(`[data-theme=dark] .st-${s.name}{--st:${s.dark}`); }
  });
  test("a state that is not known is shown as such, and breaks nothing", () => {
    expect(state_of("dreaming").word).toBe("Unknown state dreaming");
    expect(state_of_letter("!").letter).toBe("?");
    expect(state_of(null).name).toBe("none");
    expect(letter_of("dreaming")).toBe("?");
  });
  test("the worst of many is a failure, then what is active", () => {
    expect(worst_letter("ssfs")).toBe("f");
    expect(worst_letter("ssrk")).toBe("r");
    expect(worst_letter("sss")).toBe("s");
    expect(worst_letter("")).toBe("-");
    expect([...WORST].sort().join("")).toBe([...TASK_STATES, ABSENT].map((s) => s.letter).sort().join(""));
  });
  test("groups count what is there, not what is not in the version", () => expect(count_groups("ssf-.r")).toMatchObject({ good: 2, bad: 1, active: 1, idle: 1, total: 5 }));
  test("what was skipped ended well, and is told apart", () => expect(count_groups("sksk")).toMatchObject({ good: 4, skipped: 2, total: 4 }));
  test("final states are those that the core calls final", () => expect(TASK_STATES.filter((s) => is_final(s.name)).map((s) => s.letter).join("")).toBe("sfkux"));
});
