// SPDX-License-Identifier: Apache-2.0
/* Lays a graph out off the page's thread. Positions are top left corners; groups get boxes around their members. */
import dagre from "@dagrejs/dagre";
import { layered } from "./layered.ts";

export interface LayoutAsk { id: number; nodes: { id: number; parent: number; w: number; h: number; box: boolean }[]; edges: [number, number][]; direction: "LR" | "TB" }
export interface LayoutAnswer { id: number; at: [number, number, number, number, number][]; how: string } // node, x, y, w, h

const DAGRE_MAX = 400;

function by_dagre(ask: LayoutAsk): LayoutAnswer {
  const graph = new dagre.graphlib.Graph({ compound: true });
  graph.setGraph({ rankdir: ask.direction, nodesep: 14, ranksep: 46, marginx: 8, marginy: 8, ranker: ask.nodes.length <= 150 ? "network-simplex" : "tight-tree" });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of ask.nodes) graph.setNode(String(node.id), { width: node.w, height: node.h });
  for (const node of ask.nodes) if (node.parent >= 0) graph.setParent(String(node.id), String(node.parent));
  for (const [from, to] of ask.edges) graph.setEdge(String(from), String(to));
  dagre.layout(graph);
  const at = ask.nodes.map((node) => {
    const p = graph.node(String(node.id)) as { x: number; y: number; width: number; height: number };
    return [node.id, p.x - p.width / 2, p.y - p.height / 2, p.width, p.height] as [number, number, number, number, number];
  });
  return { id: ask.id, at, how: "dagre" };
}

function by_layers(ask: LayoutAsk): LayoutAnswer {
  const plain = ask.nodes.filter((node) => !node.box);
  const index = new Map(plain.map((node, i) => [node.id, i]));
  const points = layered(plain, ask.edges.map(([from, to]) => [index.get(from)!, index.get(to)!]));
  return { id: ask.id, at: plain.map((node, i) => [node.id, points[i].x, points[i].y, node.w, node.h]), how: "layered" };
}

self.onmessage = (message: MessageEvent<LayoutAsk>) => {
  const ask = message.data;
  let answer: LayoutAnswer;
  try {
    answer = ask.nodes.length <= DAGRE_MAX ? by_dagre(ask) : by_layers(ask);
  } catch {
    answer = by_layers(ask); // dagre refuses some compound graphs; without boxes it is still readable
  }
  self.postMessage(answer);
};
