// SPDX-License-Identifier: Apache-2.0
/* edges - all edges of a graph as two paths, those of the selected node apart: thousands cost what one does. */
import { useMemo } from "react";
import { ViewportPortal } from "@xyflow/react";
import { edge_path, type Area } from "./route.ts";
import type { GraphEdge } from "./model.ts";

export function Edges({ edges, areas, down, selected }: { edges: GraphEdge[]; areas: Map<number, Area>; down: boolean; selected: number | null }) {
  const [others, own] = useMemo(() => {
    const texts = ["", ""];
    for (const { from, to } of edges) {
      const [a, b] = [areas.get(from), areas.get(to)];
      if (a && b) texts[selected === from || selected === to ? 1 : 0] += edge_path(a, b, down);
    }
    return texts;
  }, [edges, areas, down, selected]);
  return (
    <ViewportPortal>
      <svg className="edges" aria-hidden="true"><path d={others} />{own && <path className="edge-on" d={own} />}</svg>
    </ViewportPortal>
  );
}
