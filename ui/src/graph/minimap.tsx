// SPDX-License-Identifier: Apache-2.0
/* minimap - the whole graph in one small canvas, and what of it is on the screen. A click goes there. What it shows is also in the
 * nodes, so it is no target of the keyboard. */
import { useEffect, useRef, type PointerEvent } from "react";
import { useReactFlow, useStore } from "@xyflow/react";
import { GROUP_COLOUR, state_of_letter } from "../states.ts";
import { bounds_of, type Area } from "./route.ts";

export interface MiniNode { area: Area; letter: string; box: boolean }

const W = 180, H = 120, PAD = 6;

export function Mini({ nodes }: { nodes: MiniNode[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const flow = useReactFlow();
  const [x, y, zoom] = useStore((s) => s.transform);
  const width = useStore((s) => s.width);
  const height = useStore((s) => s.height);
  const bounds = bounds_of(nodes.map((n) => n.area));
  const scale = bounds ? Math.min((W - 2 * PAD) / bounds.w, (H - 2 * PAD) / bounds.h) : 1;
  const left = bounds ? (W - bounds.w * scale) / 2 - bounds.x * scale : 0;
  const top = bounds ? (H - bounds.h * scale) / 2 - bounds.y * scale : 0;
  useEffect(() => {
    const c = canvas.current!;
    const ratio = devicePixelRatio || 1;
    [c.width, c.height] = [W * ratio, H * ratio];
    const ctx = c.getContext("2d")!;
    const colour = (name: string) => getComputedStyle(c).getPropertyValue(name);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    for (const { area, letter, box } of nodes) {
      ctx.fillStyle = box ? colour("--sunken") : colour(GROUP_COLOUR[state_of_letter(letter).group]);
      ctx.fillRect(left + area.x * scale, top + area.y * scale, Math.max(1.5, area.w * scale), Math.max(1.5, area.h * scale));
    }
    ctx.strokeStyle = colour("--accent");
    ctx.lineWidth = 1.5;
    ctx.strokeRect(left - (x / zoom) * scale, top - (y / zoom) * scale, (width / zoom) * scale, (height / zoom) * scale);
  }, [nodes, x, y, zoom, width, height, scale, left, top]);
  const move = (event: PointerEvent) => {
    if (!event.buttons) return;
    const box = canvas.current!.getBoundingClientRect();
    void flow.setCenter((event.clientX - box.left - left) / scale, (event.clientY - box.top - top) / scale, { zoom });
  };
  return <canvas ref={canvas} className="minimap" style={{ width: W, height: H }} aria-hidden="true" onPointerDown={move} onPointerMove={move} />;
}
