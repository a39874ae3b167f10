// SPDX-License-Identifier: Apache-2.0
/* route - how an edge runs between two nodes. Pure. */

export interface Area { x: number; y: number; w: number; h: number }

const BEND_MIN = 18;

/* A curve from the end of `a` to the beginning of `b`, as a part of an SVG path: from left to right, or downwards. */
export function edge_path(a: Area, b: Area, down: boolean): string {
  const [x1, y1] = down ? [a.x + a.w / 2, a.y + a.h] : [a.x + a.w, a.y + a.h / 2];
  const [x2, y2] = down ? [b.x + b.w / 2, b.y] : [b.x, b.y + b.h / 2];
  const bend = Math.max(BEND_MIN, Math.abs(down ? y2 - y1 : x2 - x1) / 2);
  const points = down ? [x1, y1 + bend, x2, y2 - bend, x2, y2] : [x1 + bend, y1, x2 - bend, y2, x2, y2];
  return `M${Math.round(x1)} ${Math.round(y1)}C${points.map(Math.round).join(" ")}`;
}

/* The least area around all; null around none. */
export function bounds_of(areas: Iterable<Area>): Area | null {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y, w, h } of areas) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + w);
    bottom = Math.max(bottom, y + h);
  }
  return left < right ? { x: left, y: top, w: right - left, h: bottom - top } : null;
}
