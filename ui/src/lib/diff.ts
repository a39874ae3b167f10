// SPDX-License-Identifier: Apache-2.0
/* diff - lines and values that differ. Pure. */

export interface DiffLine { kind: "same" | "old" | "new"; text: string; old_n: number | null; new_n: number | null }

/* A stretch of `a` beside one of `b`: the same lines, or what stands in its place (one of them may be empty). */
export interface Block { same: boolean; a: number; a_n: number; b: number; b_n: number }

export function diff_lines(before: string, after: string): DiffLine[] {
  const a = before.split("\n");
  const b = after.split("\n");
  return diff_blocks(a, b).flatMap((block): DiffLine[] => {
    const old = a.slice(block.a, block.a + block.a_n).map((text, i): DiffLine => ({ kind: block.same ? "same" : "old", text, old_n: block.a + i + 1, new_n: block.same ? block.b + i + 1 : null }));
    const fresh = b.slice(block.b, block.b + block.b_n).map((text, i): DiffLine => ({ kind: "new", text, old_n: null, new_n: block.b + i + 1 }));
    return block.same ? old : [...old, ...fresh];
  });
}

/* Lines of `a` and of `b` that are still to be told apart. Its ends are not part of it. */
interface Range { a: number; a_end: number; b: number; b_end: number }

/* The fewest edits where they are few; between lines that each side has once where they are many; beyond that all of it is
 * different. So 20 000 lines that have nothing in common take as long as those that are nearly the same. */
export function diff_blocks(before: string[], after: string[]): Block[] {
  const numbers = new Map<string, number>();
  const number_of = (line: string) => numbers.get(line) ?? (numbers.set(line, numbers.size), numbers.size - 1);
  const a = Int32Array.from(before, number_of);
  const b = Int32Array.from(after, number_of);
  const met = new Int32Array(a.length).fill(-1); // the line of `b` that is this one of `a`
  const left: Range[] = [{ a: 0, a_end: a.length, b: 0, b_end: b.length }];
  for (let range = left.pop(); range; range = left.pop()) {
    const inner = ends_met(a, b, range, met);
    if (inner.a < inner.a_end && inner.b < inner.b_end && !edits_met(a, b, inner, met)) left.push(...between_anchors(a, b, inner));
  }
  return blocks_of(met, b.length);
}

function ends_met(a: Int32Array, b: Int32Array, range: Range, met: Int32Array): Range {
  let { a: i, a_end, b: j, b_end } = range;
  while (i < a_end && j < b_end && a[i] === b[j]) met[i++] = j++;
  while (i < a_end && j < b_end && a[a_end - 1] === b[b_end - 1]) met[--a_end] = --b_end;
  return { a: i, a_end, b: j, b_end };
}

const EDITS_MAX = 1000; // its square is what the way back is remembered in

/* Myers: how far each diagonal comes with so many edits. False when that many were not enough. */
function edits_met(a: Int32Array, b: Int32Array, range: Range, met: Int32Array): boolean {
  const n = range.a_end - range.a;
  const m = range.b_end - range.b;
  const most = Math.min(n + m, EDITS_MAX);
  const far = new Int32Array(2 * most + 3);
  const zero = most + 1;
  const before: Int32Array[] = [];
  for (let d = 0; d <= most; d++) {
    before.push(far.slice(zero - d, zero + d + 1));
    for (let k = -d; k <= d; k += 2) {
      let x = k === -d || (k !== d && far[zero + k - 1] < far[zero + k + 1]) ? far[zero + k + 1] : far[zero + k - 1] + 1;
      while (x < n && x - k < m && a[range.a + x] === b[range.b + x - k]) x++;
      far[zero + k] = x;
      if (x < n || x - k < m) continue;
      way_back(before, n, m, range, met);
      return true;
    }
  }
  return false;
}

function way_back(before: Int32Array[], n: number, m: number, range: Range, met: Int32Array): void {
  let x = n;
  let y = m;
  for (let d = before.length - 1; d >= 0; d--) {
    const far = before[d];
    const k = x - y;
    const from = k === -d || (k !== d && far[d + k - 1] < far[d + k + 1]) ? k + 1 : k - 1;
    const x_from = d === 0 ? 0 : far[d + from];
    const y_from = d === 0 ? 0 : x_from - from;
    while (x > x_from && y > y_from) met[range.a + --x] = range.b + --y;
    x = x_from;
    y = y_from;
  }
}

/* The ranges between lines that both sides have once, as many as follow in the same order; none when there is no such line. */
function between_anchors(a: Int32Array, b: Int32Array, range: Range): Range[] {
  const once_in = (lines: Int32Array, from: number, end: number) => {
    const at = new Map<number, number>();
    for (let i = from; i < end; i++) at.set(lines[i], at.has(lines[i]) ? -1 : i);
    return at;
  };
  const in_b = once_in(b, range.b, range.b_end);
  const pairs = [...once_in(a, range.a, range.a_end)].map(([line, i]) => [i, in_b.get(line) ?? -1] as [number, number]).filter(([i, j]) => i >= 0 && j >= 0);
  const anchors = longest_rising(pairs.sort((p, q) => p[0] - q[0]));
  // Each range begins with its anchor, which is then met as its first line.
  const begins = [[range.a, range.b], ...anchors];
  return anchors.length ? begins.map(([i, j], at) => ({ a: i, b: j, a_end: begins[at + 1]?.[0] ?? range.a_end, b_end: begins[at + 1]?.[1] ?? range.b_end })) : [];
}

/* The longest choice of the pairs whose second numbers rise. */
function longest_rising(pairs: [number, number][]): [number, number][] {
  const last: number[] = []; // the pair that ends a choice of so many with the smallest number
  const chosen_before: number[] = [];
  pairs.forEach(([, j], at) => {
    let low = 0;
    let high = last.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pairs[last[middle]][1] < j) low = middle + 1;
      else high = middle;
    }
    chosen_before.push(low ? last[low - 1] : -1);
    last[low] = at;
  });
  const chosen: [number, number][] = [];
  for (let at = last.at(-1) ?? -1; at >= 0; at = chosen_before[at]) chosen.push(pairs[at]);
  return chosen.reverse();
}

function blocks_of(met: Int32Array, b_length: number): Block[] {
  const blocks: Block[] = [];
  const add = (same: boolean, a: number, a_n: number, b: number, b_n: number) => { if (a_n || b_n) blocks.push({ same, a, a_n, b, b_n }); };
  let a = 0;
  let b = 0;
  while (a < met.length || b < b_length) {
    let i = a;
    while (i < met.length && met[i] < 0) i++;
    const j = i < met.length ? met[i] : b_length;
    add(false, a, i - a, b, j - b);
    let n = 0;
    while (i + n < met.length && met[i + n] === j + n) n++;
    add(true, i, n, j, n);
    a = i + n;
    b = j + n;
  }
  return blocks;
}

export interface ValueChange { path: string; before: unknown; after: unknown }

export function diff_values(before: unknown, after: unknown, path = ""): ValueChange[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const plain = (v: unknown): v is Record<string, unknown> => typeof v === "object" && v !== null && !Array.isArray(v);
  if (!plain(before) || !plain(after)) return [{ path, before, after }];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) => diff_values(before[key], after[key], path ? `${path}.${key}` : key));
}
