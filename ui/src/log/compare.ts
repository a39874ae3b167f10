// SPDX-License-Identifier: Apache-2.0
/* compare - what of two logs is compared, and which of their lines are shown: times are no difference, long stretches that are
 * the same are folded. Pure. */
import type { Block } from "../lib/diff.ts";
import { line_of, plain_of } from "./ansi.ts";

export const LINES_MAX = 20_000; // of each, from its end
export const BYTES_MAX = 8_000_000;
const AROUND = 3; // lines shown on each side of a difference

// A date with its time, or a time of day; a date alone is what the task works on.
const TIMES = /(?:\d{4}-\d\d-\d\d[T ])?\b\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?/g;

/* Two lines are the same when this is. */
export function key_of(raw: string): string {
  return plain_of(line_of(raw).text).replace(TIMES, "\u231a");
}

export function lines_of(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/* "2,3" of an address as two tries there are, the older first; null for all else. */
export function tries_of(text: string, known: number[]): [number, number] | null {
  const m = /^(\d{1,6}),(\d{1,6})$/.exec(text);
  if (!m || m[1] === m[2] || !known.includes(+m[1]) || !known.includes(+m[2])) return null;
  return [Math.min(+m[1], +m[2]), Math.max(+m[1], +m[2])];
}

/* What is drawn: lines, or a fold that stands for some. `id` is the same however much else is unfolded. */
export type Piece = Block & { id: string; fold: boolean; difference: number | null };

/* At most `rows_max` lines of each side; `more` when there would be others. */
export function pieces_of(blocks: Block[], unfolded: Set<string>, rows_max: number): { pieces: Piece[]; more: boolean } {
  const pieces = blocks.flatMap((block, at) => (block.same ? folded(block, at, blocks.length, unfolded) : [{ ...block, id: `d${at}`, fold: false, difference: null }]));
  let rows = 0;
  let differences = 0;
  const shown: Piece[] = [];
  for (const piece of pieces) {
    const room = rows_max - rows;
    if (room <= 0) return { pieces: shown, more: true };
    if (!piece.same) piece.difference = differences++;
    const cut = piece.fold ? piece : { ...piece, a_n: Math.min(piece.a_n, room), b_n: Math.min(piece.b_n, room) };
    shown.push(cut);
    rows += piece.fold ? 1 : Math.max(cut.a_n, cut.b_n);
    if (cut.a_n < piece.a_n || cut.b_n < piece.b_n) return { pieces: shown, more: true };
  }
  return { pieces: shown, more: false };
}

function folded(block: Block, at: number, count: number, unfolded: Set<string>): Piece[] {
  const part = (name: string, from: number, n: number, fold: boolean): Piece => ({ same: true, a: block.a + from, a_n: n, b: block.b + from, b_n: n, id: `${name}${at}`, fold, difference: null });
  const head = at === 0 ? 0 : AROUND;
  const tail = at === count - 1 ? 0 : AROUND;
  const hidden = block.a_n - head - tail;
  // A fold is a line itself: it is worth it from the second one on.
  if (hidden < 2 || unfolded.has(`f${at}`)) return [part("s", 0, block.a_n, false)];
  return [part("h", 0, head, false), part("f", head, hidden, true), part("t", head + hidden, tail, false)].filter((p) => p.a_n > 0);
}
