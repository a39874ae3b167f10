// SPDX-License-Identifier: Apache-2.0
/* states - the one table of what a state is called and what it looks like. The numbers, the letters and the API's words
 * are common/model/state.h's; tools/states_css.ts makes the style sheet from it, tests compare it with the header.
 *
 * Three channels tell states apart: fill, glyph, colour. Colour alone does not (two colours may look alike to one
 * person in twelve), so whatever drops the glyph must merge to `group`. */

export type Fill = "solid" | "tint" | "outline" | "dashed" | "thin" | "ring";
export type Group = "waiting" | "active" | "good" | "bad" | "idle";

/* What draws by hand takes the colour of a group from the style sheet. */
export const GROUP_COLOUR: Record<Group, string> = { waiting: "--warn", active: "--link", good: "--good", bad: "--bad", idle: "--muted" };

export interface State {
  name: string; // the API's word
  letter: string;
  word: string; // for people
  fill: Fill;
  group: Group;
  light: string;
  dark: string;
  lightTint?: string;
  darkTint?: string;
  glyph: string; // SVG path in a 12 x 12 box, stroked
}

// Glyphs are drawn, not typed: fonts disagree about their size and colour.
const G = {
  check: "M2.5 6.5 5 9l4.5-6",
  cross: "M3 3l6 6M9 3 3 9",
  barred: "M6 2a4 4 0 1 0 .01 0M3.3 8.7 8.7 3.3",
  play: "M4 2.6 9 6 4 9.4Z",
  dots: "M2.5 6h.01M6 6h.01M9.5 6h.01",
  ring: "M6 3.2a2.8 2.8 0 1 0 .01 0",
  none: "",
  again: "M9.2 4.2A3.8 3.8 0 1 0 9.8 6.6M9.6 1.8v2.6H7",
  clock: "M6 2.2a3.8 3.8 0 1 0 .01 0M6 4v2.2l1.6 1",
  pause: "M4.3 3v6M7.7 3v6",
  hop: "M2 8.5C2.5 4 7 3.2 9 6.4M9.4 3.6v3.2H6.2",
  cycle: "M2.4 5A3.8 3.8 0 0 1 9.3 4M9.6 7A3.8 3.8 0 0 1 2.7 8M9.5 1.8V4H7.2M2.5 10.2V8h2.3",
  minus: "M3 6h6",
  ask: "M4.2 4.4A1.9 1.9 0 1 1 6 6.4v.8M6 9.4h.01",
};

export const TASK_STATES: State[] = [
  { name: "none", letter: ".", word: "Not started", fill: "thin", group: "idle", light: "#6B7380", dark: "#8C95A3", glyph: G.none },
  { name: "scheduled", letter: "o", word: "Ready", fill: "outline", group: "waiting", light: "#7A6230", dark: "#CDB27A", glyph: G.ring },
  { name: "queued", letter: "q", word: "Queued", fill: "outline", group: "waiting", light: "#5E6673", dark: "#A3ABB8", glyph: G.dots },
  { name: "running", letter: "r", word: "Running", fill: "solid", group: "active", light: "#1D5FD1", dark: "#6FA8FF", glyph: G.play },
  { name: "success", letter: "s", word: "Succeeded", fill: "tint", group: "good", light: "#0A6B57", dark: "#4FD8C0", lightTint: "#D3EEE4", darkTint: "#12382F", glyph: G.check },
  { name: "failed", letter: "f", word: "Failed", fill: "solid", group: "bad", light: "#C0262D", dark: "#FF7B6B", glyph: G.cross },
  { name: "skipped", letter: "k", word: "Skipped", fill: "tint", group: "good", light: "#B0377E", dark: "#F08BC0", lightTint: "#FBE9F3", darkTint: "#351D2C", glyph: G.hop },
  { name: "upstream_failed", letter: "u", word: "Blocked by failure", fill: "solid", group: "bad", light: "#9C4A1A", dark: "#F2A173", glyph: G.barred },
  { name: "up_for_retry", letter: "y", word: "Will retry", fill: "dashed", group: "waiting", light: "#A85B00", dark: "#FFB057", glyph: G.again },
  { name: "up_for_reschedule", letter: "c", word: "Will check again", fill: "dashed", group: "waiting", light: "#0F7490", dark: "#4CC5DD", glyph: G.clock },
  { name: "deferred", letter: "d", word: "Waiting for event", fill: "dashed", group: "waiting", light: "#7440C4", dark: "#BD9BFF", glyph: G.pause },
  { name: "removed", letter: "x", word: "No longer in DAG", fill: "outline", group: "idle", light: "#66707C", dark: "#8E96A3", glyph: G.minus },
  { name: "restarting", letter: "z", word: "Restarting", fill: "ring", group: "active", light: "#5B3FD6", dark: "#A99BFF", glyph: G.cycle },
];

export const ABSENT: State = { name: "absent", letter: "-", word: "Not in that version", fill: "thin", group: "idle", light: "#6B7380", dark: "#8C95A3", glyph: G.none };

const by_name = new Map(TASK_STATES.map((s) => [s.name, s]));
const by_letter = new Map([...TASK_STATES, ABSENT].map((s) => [s.letter, s]));

function unknown(what: string): State {
  return { ...ABSENT, name: what, word: `Unknown state ${what}`, letter: "?", glyph: G.ask };
}

/* The state of an API word; null is Airflow's way to say "not started". A word we do not know is shown, not hidden. */
export function state_of(name: string | null | undefined): State {
  return by_name.get(name ?? "none") ?? unknown(String(name));
}

export function state_of_letter(letter: string): State {
  return by_letter.get(letter) ?? unknown(letter);
}

export function letter_of(name: string | null | undefined): string {
  return by_name.get(name ?? "none")?.letter ?? "?";
}

export const RUN_LETTERS: Record<string, string> = { q: "queued", r: "running", s: "success", f: "failed" };
export const RUN_STATES = ["queued", "running", "success", "failed"];

export function is_final(name: string | null | undefined): boolean {
  return ["success", "failed", "skipped", "upstream_failed", "removed"].includes(name ?? "none");
}

/* Which of many states a folded row shows: the first of these that occurs. */
export const WORST = "furzqoycd.skx-";

export function worst_letter(letters: string): string {
  for (const letter of WORST) if (letters.includes(letter)) return letter;
  return letters[0] ?? "-";
}

export interface GroupCounts { waiting: number; active: number; good: number; bad: number; idle: number; total: number; skipped: number } // skipped: of the good

export function count_groups(letters: Iterable<string>): GroupCounts {
  const counts: GroupCounts = { waiting: 0, active: 0, good: 0, bad: 0, idle: 0, total: 0, skipped: 0 };
  for (const letter of letters) {
    if (letter === "-") continue;
    counts[state_of_letter(letter).group]++;
    counts.total++;
    if (letter === "k") counts.skipped++;
  }
  return counts;
}
