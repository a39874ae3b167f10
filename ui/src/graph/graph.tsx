// SPDX-License-Identifier: Apache-2.0
/* graph - tasks and their order, coloured live. The layout is made once per structure, in a worker; a state that changes
 * is a class name on a node. */
import { memo, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Background, Controls, Handle, MiniMap, Position, ReactFlow, ReactFlowProvider, useReactFlow, type Edge, type Node, type NodeProps } from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import "../styles/graph.css";
import layout_url from "./layout.worker.ts?worker&url";
import type { LayoutAnswer, LayoutAsk } from "./layout.worker.ts";
import { script_url } from "../lib/trusted.ts";
import { KIND_MAPPED, type Shape } from "../lib/model.ts";
import { count_groups, state_of_letter, worst_letter } from "../states.ts";
import { Glyph } from "../parts/state.tsx";
import { closed_for_graph, graph_of, MANY_NODES, type GraphModel } from "./model.ts";

interface TaskData extends Record<string, unknown> { down: boolean; name: string; op: string; letter: string; counts: string; good: number; bad: number; active: number; group: boolean; closed: boolean; total: number; mapped: boolean; dim: boolean }

const NODE_H = 40;

function node_width(name: string, group: boolean): number {
  return Math.min(280, Math.max(132, name.length * 7.1 + (group ? 96 : 58)));
}

const TaskNode = memo(function TaskNode({ data }: NodeProps<Node<TaskData>>) {
  const state = state_of_letter(data.letter);
  return (
    <div className={`node st-${state.name}${data.closed ? " folded" : ""}${data.mapped ? " many" : ""}${data.dim ? " dim" : ""}`} title={`${data.name}: ${state.word}${data.counts ? `, ${data.counts}` : ""}`}>
      <Handle type="target" position={data.down ? Position.Top : Position.Left} isConnectable={false} />
      <Glyph letter={data.letter} />
      <span className="node-text"><span className="node-name clip">{data.name}</span><span className="node-op clip">{data.counts || data.op}</span></span>
      {data.total > 1 && <span className="node-meter"><i className="good" style={{ width: `${(100 * data.good) / data.total}%` }} /><i className="active" style={{ width: `${(100 * data.active) / data.total}%` }} /><i className="bad" style={{ width: `${(100 * data.bad) / data.total}%` }} /></span>}
      <Handle type="source" position={data.down ? Position.Bottom : Position.Right} isConnectable={false} />
    </div>
  );
});

const BoxNode = memo(function BoxNode({ data }: NodeProps<Node<TaskData>>) {
  return <div className="box"><span className="box-name">▾ {data.name}</span></div>;
});

const NODE_TYPES = { task: TaskNode, box: BoxNode };

const layouts = new Map<string, LayoutAnswer>();
let next_ask = 1;

interface Laid { key: string; hash: string; model: GraphModel; layout: LayoutAnswer }

/* A graph with its positions, from memory or the worker. Until they have come it is the one before of the same DAG; at first null. */
function useLaid(shape: Shape, model: GraphModel, key: string, down: boolean): Laid | null {
  const worker = useRef<Worker | null>(null);
  const [laid, set_laid] = useState<Laid | null>(null);
  useEffect(() => {
    const known = layouts.get(key);
    if (known) return set_laid({ key, hash: shape.hash, model, layout: known });
    const ask: LayoutAsk = {
      id: next_ask++, direction: down ? "TB" : "LR",
      nodes: model.nodes.map((n) => ({ id: n.ordinal, parent: n.parent, w: node_width(shape.name[n.ordinal], n.group), h: NODE_H, box: n.group && !n.closed })),
      edges: model.edges.map((e) => [e.from, e.to]),
    };
    worker.current ??= new Worker(script_url(layout_url), { type: "module" });
    worker.current.onmessage = (message: MessageEvent<LayoutAnswer>) => {
      if (message.data.id !== ask.id) return;
      layouts.set(key, message.data);
      if (layouts.size > 30) layouts.delete(layouts.keys().next().value as string);
      set_laid({ key, hash: shape.hash, model, layout: message.data });
    };
    worker.current.postMessage(ask);
  }, [key]);
  useEffect(() => () => { worker.current?.terminate(); worker.current = null; }, []);
  return laid?.hash === shape.hash ? laid : null;
}

function task_data(shape: Shape, node: GraphModel["nodes"][number], st: string, mapped: Map<number, number[]>, filter: string, down = false): TaskData {
  const o = node.ordinal;
  const own = node.group ? node.leaves.map((l) => st[l] ?? "-").join("") : st[o] ?? "-";
  const m = mapped.get(o);
  const sums = m ? { total: m[0], active: m[2], good: m[3], bad: m[4] } : node.group ? count_groups(own) : null;
  const text = m ? `${m[3] + m[4]} of ${m[0]}${m[4] ? `, ${m[4]} failed` : ""}` : node.group ? `${node.leaves.length} tasks` : "";
  return {
    down, name: shape.name[o], op: shape.op[o], letter: node.group ? worst_letter(own) : own, counts: text, total: sums?.total ?? 0, good: sums?.good ?? 0, bad: sums?.bad ?? 0, active: sums?.active ?? 0,
    group: node.group, closed: node.closed, mapped: shape.kind[o] === KIND_MAPPED, dim: !!filter && !node.leaves.some((l) => shape.id[l].toLowerCase().includes(filter)) && !shape.id[o].toLowerCase().includes(filter),
  };
}

interface Props { shape: Shape; st: string; mapped: number[][]; onOpen: (ordinal: number) => void; filter?: string; selected?: number | null }

function Inner({ shape, st, mapped, onOpen, filter = "", selected }: Props) {
  const [closed, set_closed] = useState(() => closed_for_graph(shape, 150));
  const wanted = useMemo(() => graph_of(shape, closed), [shape, closed]);
  const down = matchMedia("(max-width: 720px)").matches; // a narrow page reads downwards
  const key = `${shape.hash} ${down ? "TB" : "LR"} ${[...closed].sort((a, b) => a - b).join(",")}`;
  const laid = useLaid(shape, wanted, key, down);
  const model = laid?.model ?? wanted;
  const flow = useReactFlow();
  const fitted = useRef("");
  const mapped_of = useMemo(() => new Map(mapped.map(([o, ...counts]) => [o, counts])), [mapped]);
  const nodes = useMemo<Node<TaskData>[]>(() => {
    if (!laid) return [];
    const box = new Map(laid.layout.at.map(([o, x, y, w, h]) => [o, { x, y, w, h }]));
    return model.nodes.flatMap((n) => {
      const at = box.get(n.ordinal);
      if (!at) return [];
      const open = n.group && !n.closed;
      const pad = open ? { x: -4, y: -18, w: 8, h: 24 } : { x: 0, y: 0, w: 0, h: 0 };
      const w = at.w + pad.w;
      const h = (open ? at.h : NODE_H) + pad.h;
      const data = task_data(shape, n, st, mapped_of, filter.toLowerCase(), down);
      return [{ id: String(n.ordinal), type: open ? "box" : "task", position: { x: at.x + pad.x, y: at.y + pad.y }, width: w, height: h, initialWidth: w, initialHeight: h, zIndex: open ? -1 : 1, selected: selected === n.ordinal, ariaLabel: `${shape.name[n.ordinal]}, ${state_of_letter(data.letter).word}`, data }];
    });
  }, [laid, st, mapped_of, filter, selected]);
  const edges = useMemo<Edge[]>(() => model.edges.map((e) => ({ id: `${e.from}-${e.to}`, source: String(e.from), target: String(e.to), type: "default", className: selected === e.from || selected === e.to ? "edge-on" : "", focusable: false })), [model, selected]);
  useEffect(() => {
    if (!laid || fitted.current === laid.key) return;
    fitted.current = laid.key;
    const frame = requestAnimationFrame(() => void flow.fitView({ padding: 0.08, maxZoom: 1.1, minZoom: 0.05 }));
    return () => cancelAnimationFrame(frame);
  }, [laid]);
  const click = useCallback((_: unknown, node: Node) => {
    const o = Number(node.id);
    if (shape.kind[o] !== 1) return onOpen(o);
    set_closed((before) => { const next = new Set(before); if (!next.delete(o)) next.add(o); return next; });
  }, [shape, onOpen]);
  return (
    <>
      {model.nodes.length > MANY_NODES && <div className="note warn">{model.nodes.length} nodes are shown. Close groups to see more clearly.</div>}
      <div className="graph" aria-label={`Graph of ${shape.dag_id}`} role="application">
        <ReactFlow nodes={nodes} edges={edges} nodeTypes={NODE_TYPES} onNodeClick={click} nodesDraggable={false} nodesConnectable={false} elementsSelectable={false} onlyRenderVisibleElements={model.nodes.length > 80} minZoom={0.05} maxZoom={1.8} proOptions={{ hideAttribution: true }} zoomOnDoubleClick={false}
          onKeyDown={(e) => { const id = (e.target as HTMLElement).closest<HTMLElement>(".react-flow__node")?.dataset.id; if (e.key === "Enter" && id) click(null, { id } as Node); }}>
          <Background gap={22} size={1} />
          <Controls showInteractive={false} />
          {model.nodes.length > 12 && <MiniMap pannable nodeClassName={(n) => n.type === "box" ? "mini-box" : `mini st-${state_of_letter((n.data as TaskData).letter).name}`} />}
        </ReactFlow>
        {!laid && <div className="graph-wait muted">Laying out {model.nodes.length} nodes…</div>}
      </div>
    </>
  );
}

export default function Graph(props: Props) {
  return <ReactFlowProvider><Inner {...props} /></ReactFlowProvider>;
}
