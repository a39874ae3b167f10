// SPDX-License-Identifier: Apache-2.0
/* graph - tasks and their order, coloured live. The layout is made once per structure, in a worker; a state that changes
 * is a class name on a node. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Background, Controls, ReactFlow, ReactFlowProvider, useReactFlow, useStore, type Node } from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import "../styles/graph.css";
import { KIND_GROUP, type Shape } from "../lib/model.ts";
import { state_of_letter } from "../states.ts";
import { Edges } from "./edges.tsx";
import { useLaid } from "./laid.ts";
import { Mini } from "./minimap.tsx";
import { closed_for_graph, graph_of, MANY_NODES } from "./model.ts";
import { NODE_H, NODE_TYPES, task_data, type TaskData } from "./nodes.tsx";
import type { Area } from "./route.ts";

const FAR = 0.3; // below this zoom a name cannot be read
const BOX_PAD = { x: -4, y: -18, w: 8, h: 24 };

interface Props { shape: Shape; st: string; mapped: number[][]; onOpen: (ordinal: number) => void; filter?: string; selected?: number | null }

function Inner({ shape, st, mapped, onOpen, filter = "", selected = null }: Props) {
  const [closed, set_closed] = useState(() => closed_for_graph(shape, 150));
  const wanted = useMemo(() => graph_of(shape, closed), [shape, closed]);
  const down = matchMedia("(max-width: 720px)").matches; // a narrow page reads downwards
  const key = `${shape.hash} ${down ? "TB" : "LR"} ${[...closed].sort((a, b) => a - b).join(",")}`;
  const laid = useLaid(shape, wanted, key, down);
  const model = laid?.model ?? wanted;
  const flow = useReactFlow();
  const far = useStore((s) => s.transform[2] < FAR);
  const mapped_of = useMemo(() => new Map(mapped.map(([o, ...counts]) => [o, counts])), [mapped]);
  const areas = useMemo(() => {
    const boxes = new Set(model.nodes.flatMap((n) => (n.group && !n.closed ? [n.ordinal] : [])));
    return new Map((laid?.layout.at ?? []).map(([o, x, y, w, h]): [number, Area] => (boxes.has(o)
      ? [o, { x: x + BOX_PAD.x, y: y + BOX_PAD.y, w: w + BOX_PAD.w, h: h + BOX_PAD.h }] : [o, { x, y, w, h: NODE_H }])));
  }, [laid]);
  const nodes = useMemo(() => model.nodes.flatMap((n): Node<TaskData>[] => {
    const at = areas.get(n.ordinal);
    if (!at) return [];
    const open = n.group && !n.closed;
    const data = task_data(shape, n, st, mapped_of, filter.toLowerCase());
    return [{
      id: String(n.ordinal), type: open ? "box" : "task", position: { x: at.x, y: at.y }, width: at.w, height: at.h, measured: { width: at.w, height: at.h }, handles: [], zIndex: open ? -1 : 1,
      selected: selected === n.ordinal, ariaLabel: `${shape.name[n.ordinal]}, ${state_of_letter(data.letter).word}`, data,
    }];
  }), [areas, st, mapped_of, filter, selected]);
  const mini = useMemo(() => nodes.map((n) => ({ area: areas.get(Number(n.id))!, letter: n.data.letter, box: n.type === "box" })), [nodes]);

  // The whole is fitted once; then the group that was clicked stays where it is, and the others make room. From afar one goes to it.
  const anchor = useRef<{ ordinal: number; area: Area } | null>(null);
  const fitted = useRef("");
  useEffect(() => {
    if (!laid || fitted.current === laid.key) return;
    const is_first = fitted.current === "";
    fitted.current = laid.key;
    const before = anchor.current;
    const after = before && areas.get(before.ordinal);
    const { x, y, zoom } = flow.getViewport();
    anchor.current = null;
    if (!is_first && after && zoom < FAR) return void flow.fitBounds({ x: after.x, y: after.y, width: after.w, height: after.h }, { padding: 0.12 });
    if (!is_first && after) return void flow.setViewport({ x: x + (before.area.x - after.x) * zoom, y: y + (before.area.y - after.y) * zoom, zoom });
    const frame = requestAnimationFrame(() => void flow.fitView({ padding: 0.08, maxZoom: 1.1, minZoom: 0.05 }));
    return () => cancelAnimationFrame(frame);
  }, [laid]);
  const click = useCallback((id: string) => {
    const o = Number(id);
    if (shape.kind[o] !== KIND_GROUP) return onOpen(o);
    const area = areas.get(o);
    if (area) anchor.current = { ordinal: o, area };
    set_closed((before) => { const next = new Set(before); if (!next.delete(o)) next.add(o); return next; });
  }, [shape, onOpen, areas]);
  return (
    <>
      {model.nodes.length > MANY_NODES && <div className="note warn">{model.nodes.length} nodes are shown. Close groups to see more clearly.</div>}
      <div className={`graph${far ? " far" : ""}`} aria-label={`Graph of ${shape.dag_id}`} role="application">
        <ReactFlow nodes={nodes} nodeTypes={NODE_TYPES} onNodeClick={(_, node) => click(node.id)} nodesDraggable={false} nodesConnectable={false} elementsSelectable={false} onlyRenderVisibleElements={model.nodes.length > 80} minZoom={0.05} maxZoom={1.8} proOptions={{ hideAttribution: true }} zoomOnDoubleClick={false}
          onKeyDown={(e) => { const id = (e.target as HTMLElement).closest<HTMLElement>(".react-flow__node")?.dataset.id; if (e.key === "Enter" && id) click(id); }}>
          <Background gap={22} size={1} />
          <Edges edges={model.edges} areas={areas} down={down} selected={selected} />
          <Controls showInteractive={false} />
          {model.nodes.length > 12 && <Mini nodes={mini} />}
        </ReactFlow>
        {!laid && <div className="graph-wait muted">Laying out {model.nodes.length} nodes…</div>}
      </div>
    </>
  );
}

export default function Graph(props: Props) {
  return <ReactFlowProvider><Inner {...props} /></ReactFlowProvider>;
}
