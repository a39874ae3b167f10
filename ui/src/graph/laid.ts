// SPDX-License-Identifier: Apache-2.0
/* laid - a graph with its positions, from memory or from the worker that makes them. */
import { useEffect, useState } from "react";
import layout_url from "./layout.worker.ts?worker&url";
import type { LayoutAnswer, LayoutAsk } from "./layout.worker.ts";
import type { Shape } from "../lib/model.ts";
import { pref_get, pref_set } from "../lib/prefs.ts";
import { script_url } from "../lib/trusted.ts";
import type { GraphModel } from "./model.ts";
import { NODE_H, node_width } from "./nodes.tsx";

export interface Laid { key: string; hash: string; model: GraphModel; layout: LayoutAnswer }

const KEPT_MAX = 30;
const STORED_MAX = 12; // over reloads, and of graphs that are looked at whole
const STORED_NODES_MAX = 400;
const STORED_AFTER_MS = 1000; // when nothing is being opened
let storing: ReturnType<typeof setTimeout> | undefined;
const MADE_BY = `${import.meta.url} ${layout_url}`; // other code lays out otherwise, and its files are named otherwise
interface Stored { made_by: string; layouts: [string, LayoutAnswer][] }
const stored = pref_get<Stored | null>("layouts", null);
const kept = new Map(stored?.made_by === MADE_BY ? stored.layouts : []);
const asked = new Map<number, (answer: LayoutAnswer) => void>();
let next_ask = 1;

// Started with this file, so that it is ready when the shape has come; it serves all graphs of the tab.
const worker = new Worker(script_url(layout_url), { type: "module" });
worker.onmessage = ({ data }: MessageEvent<LayoutAnswer>) => {
  asked.get(data.id)?.(data);
  asked.delete(data.id);
};

addEventListener("pagehide", () => storing !== undefined && store());

function keep(key: string, layout: LayoutAnswer): void {
  kept.set(key, layout);
  if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value as string);
  clearTimeout(storing);
  storing = setTimeout(store, STORED_AFTER_MS);
}

function store(): void {
  clearTimeout(storing);
  storing = undefined;
  pref_set("layouts", { made_by: MADE_BY, layouts: [...kept].filter(([, { at }]) => at.length <= STORED_NODES_MAX).slice(-STORED_MAX) });
}

/* Until its positions have come it is the one before of the same DAG; at first null. */
export function useLaid(shape: Shape, model: GraphModel, key: string, down: boolean): Laid | null {
  const as_laid = (layout: LayoutAnswer): Laid => ({ key, hash: shape.hash, model, layout });
  const known = kept.get(key);
  const [laid, set_laid] = useState<Laid | null>(known ? as_laid(known) : null);
  useEffect(() => {
    const show = (layout: LayoutAnswer) => set_laid(as_laid(layout));
    if (laid?.key === key) return;
    if (known) return show(known);
    const ask: LayoutAsk = {
      id: next_ask++, direction: down ? "TB" : "LR",
      nodes: model.nodes.map((n) => ({ id: n.ordinal, parent: n.parent, w: node_width(shape.name[n.ordinal], n.group), h: NODE_H, box: n.group && !n.closed })),
      edges: model.edges.map((e) => [e.from, e.to]),
    };
    asked.set(ask.id, (layout) => { keep(key, layout); show(layout); });
    worker.postMessage(ask);
    return () => void asked.delete(ask.id);
  }, [key]);
  return laid?.hash === shape.hash ? laid : null;
}
