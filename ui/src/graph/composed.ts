// SPDX-License-Identifier: Apache-2.0
/* composed - the layout of a graph with open groups, from the inside out: what is in a group is laid out by itself, and the group
 * stands as one box among its neighbours. A group of 100 opens within a frame or two, where dagre takes a second. Pure. */
import { layered, type Point, type Size } from "./layered.ts";

export interface Item { id: number; parent: number; w: number; h: number; box: boolean }
export type Placed = [number, number, number, number, number]; // id, x, y, w, h: the top left corner

const PAD = 10;
const HEAD = 24; // above the members, for the name of the group
const BOX_GAP = 34; // between neighbours of which one has a name above it
const GAP = 14;
const LAYER_GAP = 56;
const ROOT = -1;
const SHELVES_MIN = 6;
const ASPECT = 1.25; // of width to height, as a screen has

/* Members that do not wait for each other: in rows, about as wide as they are high in all. */
function shelves(sizes: Size[], gap: number): Point[] {
  const w = Math.max(...sizes.map((s) => s.w)) + gap;
  const h = Math.max(...sizes.map((s) => s.h)) + gap;
  const columns = Math.max(1, Math.round(Math.sqrt((sizes.length * h) / w) * ASPECT));
  return sizes.map((_, i) => ({ x: (i % columns) * w, y: Math.floor(i / columns) * h }));
}

/* Layers go from left to right, or downwards. */
function place(sizes: Size[], edges: [number, number][], gap: number, down: boolean): Point[] {
  if (!edges.length && sizes.length > SHELVES_MIN) return shelves(sizes, gap);
  if (!down) return layered(sizes, edges, LAYER_GAP, gap);
  return layered(sizes.map(({ w, h }) => ({ w: h, h: w })), edges, LAYER_GAP, gap).map(({ x, y }) => ({ x: y, y: x }));
}

/* Each edge at the level where its ends part: between two members of one box, or of the whole. */
function edges_by_level(parent_of: Map<number, number>, edges: [number, number][]): Map<number, [number, number][]> {
  const levels = new Map<number, [number, number][]>();
  const seen = new Set<string>();
  const path = (id: number) => { const up = [id]; for (let at = parent_of.get(id) ?? ROOT; at !== ROOT; at = parent_of.get(at) ?? ROOT) up.push(at); return up.reverse(); };
  for (const [from, to] of edges) {
    const [a, b] = [path(from), path(to)];
    const fork = a.findIndex((id, i) => id !== b[i]);
    if (fork < 0 || b[fork] === undefined || seen.has(`${a[fork]}>${b[fork]}`)) continue;
    seen.add(`${a[fork]}>${b[fork]}`);
    const level = fork === 0 ? ROOT : a[fork - 1];
    levels.set(level, [...(levels.get(level) ?? []), [a[fork], b[fork]]]);
  }
  return levels;
}

export function composed(items: Item[], edges: [number, number][], down: boolean): Placed[] {
  const boxes = new Set(items.filter((i) => i.box).map((i) => i.id));
  const parent_of = new Map(items.map((i) => [i.id, boxes.has(i.parent) ? i.parent : ROOT]));
  const inside = new Map<number, Item[]>();
  for (const item of items) inside.set(parent_of.get(item.id)!, [...(inside.get(parent_of.get(item.id)!) ?? []), item]);
  const levels = edges_by_level(parent_of, edges);

  /* The members of a box, from its top left corner, and how large that makes it. */
  const fill = (box: number): { size: Size; placed: Placed[] } => {
    const members = inside.get(box) ?? [];
    const filled = members.map((m) => (m.box ? fill(m.id) : { size: m as Size, placed: [] }));
    const index = new Map(members.map((m, i) => [m.id, i]));
    const among = (levels.get(box) ?? []).map(([from, to]) => [index.get(from)!, index.get(to)!] as [number, number]);
    const points = place(filled.map((f) => f.size), among, members.some((m) => m.box) ? BOX_GAP : GAP, down);
    const placed = members.flatMap((m, i): Placed[] => {
      const [x, y] = [points[i].x + PAD, points[i].y + HEAD];
      const { size } = filled[i];
      return [[m.id, x, y, size.w, size.h], ...filled[i].placed.map(([id, dx, dy, w, h]): Placed => [id, x + dx, y + dy, w, h])];
    });
    const size = { w: Math.max(0, ...points.map((p, i) => p.x + filled[i].size.w)) + 2 * PAD, h: Math.max(0, ...points.map((p, i) => p.y + filled[i].size.h)) + HEAD + PAD };
    return { size, placed };
  };
  return fill(ROOT).placed;
}
