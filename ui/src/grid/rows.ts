// SPDX-License-Identifier: Apache-2.0
/* rows - a shape as the rows of a table: topological, groups folded or open, filtered. Pure. */
import { KIND_GROUP, type Shape } from "../lib/model.ts";
import { worst_letter } from "../states.ts";

export interface Row { ordinal: number; depth: number; group: boolean; open: boolean; leaves: number[] }
export interface Tree { children: Map<number, number[]>; leaves: Map<number, number[]>; level: number[] }

/* Longest path from a source, for each task; a cycle cannot be (the compiler refuses it), but would end here too. */
export function levels(shape: Shape): number[] {
  const n = shape.id.length;
  const level = new Array<number>(n).fill(0);
  const open = new Array<number>(n).fill(0);
  const down: number[][] = Array.from({ length: n }, () => []);
  shape.from.forEach((from, i) => { down[from].push(shape.to[i]); open[shape.to[i]]++; });
  const ready = open.flatMap((count, i) => (count === 0 ? [i] : []));
  for (let at = 0; at < ready.length; at++) {
    for (const to of down[ready[at]]) {
      level[to] = Math.max(level[to], level[ready[at]] + 1);
      if (--open[to] === 0) ready.push(to);
    }
  }
  return level;
}

export function tree_of(shape: Shape): Tree {
  const level = levels(shape);
  const children = new Map<number, number[]>();
  shape.id.forEach((_, o) => {
    const parent = shape.parent[o];
    if (!children.has(parent)) children.set(parent, []);
    children.get(parent)!.push(o);
  });
  const leaves = new Map<number, number[]>();
  const first = new Map<number, number>();
  const visit = (o: number): number[] => {
    const found = shape.kind[o] === KIND_GROUP ? (children.get(o) ?? []).flatMap(visit) : [o];
    leaves.set(o, found);
    first.set(o, found.length ? Math.min(...found.map((l) => level[l])) : 0);
    return found;
  };
  for (const o of children.get(-1) ?? []) visit(o);
  // Siblings by when they can start; the order of the file decides among equals.
  const tie = (o: number) => Math.min(o, ...(leaves.get(o) ?? [o]));
  for (const list of children.values()) list.sort((a, b) => (first.get(a) ?? 0) - (first.get(b) ?? 0) || tie(a) - tie(b));
  return { children, leaves, level };
}

const MANY = 120;

/* Groups closed at first: all of them when the DAG is large, but for those where something failed. */
export function closed_at_first(shape: Shape, tree: Tree, newest: string): Set<number> {
  const closed = new Set<number>();
  const large = shape.id.length > MANY;
  shape.kind.forEach((kind, o) => {
    if (kind !== KIND_GROUP || !large) return;
    if (!(tree.leaves.get(o) ?? []).some((l) => newest[l] === "f")) closed.add(o);
  });
  return closed;
}

export interface RowFilter { text: string; letters: string; columns: string[] }

export function rows_of(shape: Shape, tree: Tree, closed: ReadonlySet<number>, filter: RowFilter | null): Row[] {
  const text = filter?.text.toLowerCase() ?? "";
  // A row stays if it fits in any run that is shown: a filter must not make a task's history vanish.
  const fits = (leaf: number) =>
    (!text || shape.id[leaf].toLowerCase().includes(text)) && (!filter?.letters || filter.columns.some((st) => filter.letters.includes(st[leaf])));
  const filtered = !!filter && (!!text || !!filter.letters);
  const rows: Row[] = [];
  const visit = (o: number, depth: number) => {
    const leaves = tree.leaves.get(o) ?? [o];
    const kept = filtered ? leaves.filter(fits) : leaves;
    if (filtered && !kept.length) return;
    const group = shape.kind[o] === KIND_GROUP;
    const open = group && (filtered ? kept.length <= 200 || !closed.has(o) : !closed.has(o));
    rows.push({ ordinal: o, depth, group, open, leaves: kept });
    if (open) for (const child of tree.children.get(o) ?? []) visit(child, depth + 1);
  };
  for (const o of tree.children.get(-1) ?? []) visit(o, 0);
  return rows;
}

export function row_letter(row: Row, st: string): string {
  if (!row.group) return st[row.ordinal] ?? "-";
  let letters = "";
  for (const leaf of row.leaves) if (!letters.includes(st[leaf])) letters += st[leaf];
  return letters ? worst_letter(letters) : "-";
}
