// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { diff_blocks, diff_lines, type Block } from "../src/lib/diff.ts";

/* The same numbers in every run. */
function dice(seed: number): (sides: number) => number {
  return (sides) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * sides);
  };
}

/* Blocks follow each other without a hole, and what they call the same is the same. */
function is_whole(a: string[], b: string[], blocks: Block[]): void {
  let [i, j] = [0, 0];
  for (const block of blocks) {
    expect([block.a, block.b]).toEqual([i, j]);
    if (block.same) expect(a.slice(i, i + block.a_n)).toEqual(b.slice(j, j + block.b_n));
    i += block.a_n;
    j += block.b_n;
  }
  expect([i, j]).toEqual([a.length, b.length]);
}

const kept = (blocks: Block[]) => blocks.reduce((sum, block) => sum + (block.same ? block.a_n : 0), 0);

/* How many lines can stay, by the table of all pairs. */
function most_kept(a: string[], b: string[]): number {
  let row: number[] = new Array(b.length + 1).fill(0);
  for (const line of a) {
    const next = [0];
    b.forEach((other, j) => next.push(line === other ? row[j] + 1 : Math.max(row[j + 1], next[j])));
    row = next;
  }
  return row[b.length];
}

test("what differs is the fewest lines that can, whatever the lines are", () => {
  const roll = dice(1);
  for (let n = 0; n < 400; n++) {
    const letters = 2 + roll(6);
    const made = () => Array.from({ length: roll(14) }, () => "abcdefgh"[roll(letters)]);
    const [a, b] = [made(), made()];
    const blocks = diff_blocks(a, b);
    is_whole(a, b, blocks);
    expect(kept(blocks), `${a} / ${b}`).toBe(most_kept(a, b));
  }
});

test("lines that are repeated without end are told from the few that were put between them", () => {
  const a = Array.from({ length: 20_000 }, (_, i) => `step ${i % 3}`);
  const b = a.flatMap((line, i) => (i === 400 || i === 19_000 ? [line, "slow"] : [line]));
  expect(diff_blocks(a, b).filter((block) => !block.same)).toEqual([{ same: false, a: 401, a_n: 0, b: 401, b_n: 1 }, { same: false, a: 19_001, a_n: 0, b: 19_002, b_n: 1 }]);
});

test("twenty thousand lines of which every second is another are told apart by those that stayed", () => {
  const made = (what: string) => Array.from({ length: 20_000 }, (_, i) => (i % 2 ? `${what} ${i}` : `line ${i}`));
  const [a, b] = [made("old"), made("new")];
  const blocks = diff_blocks(a, b);
  is_whole(a, b, blocks);
  expect(kept(blocks)).toBe(10_000);
});

test("twenty thousand lines with nothing in common, or in another order, end", () => {
  const made = (what: string) => Array.from({ length: 20_000 }, (_, i) => `${what} ${i}`);
  expect(diff_blocks(made("old"), made("new"))).toEqual([{ same: false, a: 0, a_n: 20_000, b: 0, b_n: 20_000 }]);
  const backwards = made("line").reverse();
  is_whole(made("line"), backwards, diff_blocks(made("line"), backwards));
  const roll = dice(2);
  const mixed = () => Array.from({ length: 20_000 }, () => `line ${roll(50)}`);
  const [a, b] = [mixed(), mixed()];
  is_whole(a, b, diff_blocks(a, b));
});

test("lines of a text keep their numbers on both sides", () => {
  expect(diff_lines("a\nb\nc", "a\nx\nc\nd")).toEqual([
    { kind: "same", text: "a", old_n: 1, new_n: 1 },
    { kind: "old", text: "b", old_n: 2, new_n: null },
    { kind: "new", text: "x", old_n: null, new_n: 2 },
    { kind: "same", text: "c", old_n: 3, new_n: 3 },
    { kind: "new", text: "d", old_n: null, new_n: 4 },
  ]);
  expect(diff_lines("", "")).toEqual([{ kind: "same", text: "", old_n: 1, new_n: 1 }]);
});
