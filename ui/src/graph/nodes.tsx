// SPDX-License-Identifier: Apache-2.0
/* nodes - what stands in a graph: a task or closed group, and the box of an open one. Neither has handles: nothing is connected
 * by hand, and the edges are drawn by edges.tsx, so that React Flow need not measure a node before it shows it. */
import { memo } from "react";
import type { Node, NodeProps } from "@xyflow/react";
import { Glyph } from "../parts/state.tsx";
import { KIND_MAPPED, type Shape } from "../lib/model.ts";
import { count_groups, state_of_letter, worst_letter } from "../states.ts";
import type { GraphNode } from "./model.ts";

export interface TaskData extends Record<string, unknown> { name: string; op: string; letter: string; counts: string; good: number; bad: number; active: number; closed: boolean; total: number; mapped: boolean; dim: boolean }

export const NODE_H = 40;

export function node_width(name: string, group: boolean): number {
  return Math.min(280, Math.max(132, name.length * 7.1 + (group ? 96 : 58)));
}

/* mapped: by ordinal [total, waiting, active, good, bad]; filter in small letters. */
export function task_data(shape: Shape, node: GraphNode, st: string, mapped: Map<number, number[]>, filter: string): TaskData {
  const o = node.ordinal;
  const own = node.group ? node.leaves.map((l) => st[l] ?? "-").join("") : st[o] ?? "-";
  const m = mapped.get(o);
  const sums = m ? { total: m[0], active: m[2], good: m[3], bad: m[4] } : node.group ? count_groups(own) : null;
  const text = m ? `${m[3] + m[4]} of ${m[0]}${m[4] ? `, ${m[4]} failed` : ""}` : node.group ? `${node.leaves.length} tasks` : "";
  const fits = !filter || shape.id[o].toLowerCase().includes(filter) || node.leaves.some((l) => shape.id[l].toLowerCase().includes(filter));
  return {
    name: shape.name[o], op: shape.op[o], letter: node.group ? worst_letter(own) : own, counts: text, total: sums?.total ?? 0, good: sums?.good ?? 0, bad: sums?.bad ?? 0, active: sums?.active ?? 0,
    closed: node.closed, mapped: shape.kind[o] === KIND_MAPPED, dim: !fits,
  };
}

const TaskNode = memo(function TaskNode({ data }: NodeProps<Node<TaskData>>) {
  const state = state_of_letter(data.letter);
  const share = (n: number) => ({ width: `${(100 * n) / data.total}%` });
  return (
    <div className={`node st-${state.name}${data.closed ? " folded" : ""}${data.mapped ? " many" : ""}${data.dim ? " dim" : ""}`} title={`${data.name}: ${state.word}${data.counts ? `, ${data.counts}` : ""}`}>
      <Glyph letter={data.letter} />
      <span className="node-text"><span className="node-name clip">{data.name}</span><span className="node-op clip">{data.counts || data.op}</span></span>
      {data.total > 1 && <span className="node-meter"><i className="good" style={share(data.good)} /><i className="active" style={share(data.active)} /><i className="bad" style={share(data.bad)} /></span>}
    </div>
  );
});

const BoxNode = memo(function BoxNode({ data }: NodeProps<Node<TaskData>>) {
  return <div className="box"><span className="box-name">▾ {data.name}</span></div>;
});

export const NODE_TYPES = { task: TaskNode, box: BoxNode };
