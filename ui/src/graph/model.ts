// SPDX-License-Identifier: Apache-2.0
/* model - which nodes and edges a graph shows for a shape with some groups closed. Pure. */
import { KIND_GROUP, type Shape } from "../lib/model.ts";

export interface GraphNode { ordinal: number; parent: number; leaves: number[]; group: boolean; closed: boolean }
export interface GraphEdge { from: number; to: number }
export interface GraphModel { nodes: GraphNode[]; edges: GraphEdge[] }

export const MANY_NODES = 400;

/* The topmost closed group around a task, or the task. */
export function shown_for(shape: Shape, closed: ReadonlySet<number>, ordinal: number): number {
  let shown = ordinal;
  for (let at = shape.parent[ordinal]; at >= 0; at = shape.parent[at]) if (closed.has(at)) shown = at;
  return shown;
}

export function graph_of(shape: Shape, closed: ReadonlySet<number>): GraphModel {
  const visible = new Map<number, GraphNode>();
  const leaves = new Map<number, number[]>();
  shape.id.forEach((_, o) => {
    if (shape.kind[o] === KIND_GROUP) return;
    const shown = shown_for(shape, closed, o);
    if (!leaves.has(shown)) leaves.set(shown, []);
    leaves.get(shown)!.push(o);
    for (let at = shape.parent[shown]; at >= 0; at = shape.parent[at]) {
      if (!leaves.has(at)) leaves.set(at, []);
      leaves.get(at)!.push(o);
    }
  });
  for (const [o, inside] of leaves) {
    const group = shape.kind[o] === KIND_GROUP;
    visible.set(o, { ordinal: o, parent: shape.parent[o], leaves: inside, group, closed: group && closed.has(o) });
  }
  const seen = new Set<string>();
  const edges: GraphEdge[] = [];
  shape.from.forEach((f, i) => {
    const from = shown_for(shape, closed, f);
    const to = shown_for(shape, closed, shape.to[i]);
    const key = `${from}>${to}`;
    if (from === to || seen.has(key)) return;
    seen.add(key);
    edges.push({ from, to });
  });
  return { nodes: [...visible.values()].sort((a, b) => a.ordinal - b.ordinal), edges };
}

/* Groups to close so that at most `budget` nodes remain, the largest first. */
export function closed_for_graph(shape: Shape, budget: number): Set<number> {
  const closed = new Set<number>();
  const groups = shape.kind.flatMap((kind, o) => (kind === KIND_GROUP ? [o] : []));
  const tasks = shape.id.length - groups.length;
  if (tasks <= budget) return closed;
  for (const group of groups) closed.add(group);
  return closed;
}
