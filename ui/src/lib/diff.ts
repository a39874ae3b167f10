// SPDX-License-Identifier: Apache-2.0
/* diff - lines and values that differ. Pure. */

export interface DiffLine { kind: "same" | "old" | "new"; text: string; old_n: number | null; new_n: number | null }

/* Longest common subsequence of lines; common ends are taken off first, so that the table stays small. */
export function diff_lines(before: string, after: string): DiffLine[] {
  const a = before.split("\n");
  const b = after.split("\n");
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const middle_a = a.slice(head, a.length - tail);
  const middle_b = b.slice(head, b.length - tail);
  const out: DiffLine[] = [];
  const same = (i: number, j: number) => out.push({ kind: "same", text: a[i], old_n: i + 1, new_n: j + 1 });
  for (let i = 0; i < head; i++) same(i, i);
  for (const step of middle(middle_a, middle_b)) {
    if (step.kind === "same") same(head + step.i, head + step.j);
    else if (step.kind === "old") out.push({ kind: "old", text: middle_a[step.i], old_n: head + step.i + 1, new_n: null });
    else out.push({ kind: "new", text: middle_b[step.j], old_n: null, new_n: head + step.j + 1 });
  }
  for (let k = tail; k > 0; k--) same(a.length - k, b.length - k);
  return out;
}

const TABLE_MAX = 4_000_000;

function middle(a: string[], b: string[]): { kind: "same" | "old" | "new"; i: number; j: number }[] {
  const steps: { kind: "same" | "old" | "new"; i: number; j: number }[] = [];
  if (a.length * b.length > TABLE_MAX) {
    a.forEach((_, i) => steps.push({ kind: "old", i, j: 0 }));
    b.forEach((_, j) => steps.push({ kind: "new", i: 0, j }));
    return steps;
  }
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) table[i * width + j] = a[i] === b[j] ? table[(i + 1) * width + j + 1] + 1 : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) steps.push({ kind: "same", i: i++, j: j++ });
    else if (j >= b.length || (i < a.length && table[(i + 1) * width + j] >= table[i * width + j + 1])) steps.push({ kind: "old", i: i++, j });
    else steps.push({ kind: "new", i, j: j++ });
  }
  return steps;
}

export interface ValueChange { path: string; before: unknown; after: unknown }

export function diff_values(before: unknown, after: unknown, path = ""): ValueChange[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const plain = (v: unknown): v is Record<string, unknown> => typeof v === "object" && v !== null && !Array.isArray(v);
  if (!plain(before) || !plain(after)) return [{ path, before, after }];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) => diff_values(before[key], after[key], path ? `${path}.${key}` : key));
}
