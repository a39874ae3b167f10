// SPDX-License-Identifier: Apache-2.0
/* Lays graphs out off the page's thread. Positions are top left corners; groups get boxes around their members. */
import dagre from "@dagrejs/dagre";
import { composed, type Item, type Placed } from "./composed.ts";

export interface LayoutAsk { id: number; nodes: Item[]; edges: [number, number][]; direction: "LR" | "TB" }
export interface LayoutAnswer { id: number; at: Placed[] }

// Its edges avoid what they pass, which is worth a moment when a page is opened; a group that is opened has to be there at once.
const DAGRE_MAX = 400; // without an edge there is nothing to avoid
const DAGRE_BOXES_MAX = 40;

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
    return [node.id, p.x - p.width / 2, p.y - p.height / 2, p.width, p.height] as Placed;
  });
  return { id: ask.id, at };
}

self.onmessage = (message: MessageEvent<LayoutAsk>) => {
  const ask = message.data;
  const by_composing = () => ({ id: ask.id, at: composed(ask.nodes, ask.edges, ask.direction === "TB") });
  const most = ask.nodes.some((node) => node.box) ? DAGRE_BOXES_MAX : DAGRE_MAX;
  let answer: LayoutAnswer;
  try {
    answer = ask.edges.length && ask.nodes.length <= most ? by_dagre(ask) : by_composing();
  } catch {
    answer = by_composing(); // dagre refuses some compound graphs
  }
  self.postMessage(answer);
};
