// SPDX-License-Identifier: Apache-2.0
/* usage - what a task used run by run, and where that leads. */
import { median } from "./number.ts";

const RUNS_MIN = 6;
const GROWS_FROM = 1.2; // less is how things are

export interface Growth { before: number; after: number; factor: number; runs_left: number | null }

/* The newer half of the runs against the older; null when nothing grew or too few runs are known. `runs_left`: as many more on a
 * straight line reach the limit. */
export function growth(values: (number | null)[], limit: number | null): Growth | null {
  const known = values.flatMap((v, i) => (v === null ? [] : [[i, v] as const]));
  if (known.length < RUNS_MIN) return null;
  const half = Math.floor(known.length / 2);
  const before = median(known.slice(0, half).map(([, v]) => v))!;
  const after = median(known.slice(half).map(([, v]) => v))!;
  const line = straight_line(known);
  if (before <= 0 || after / before < GROWS_FROM || line.slope <= 0) return null;
  const at_end = line.at(known.at(-1)![0]);
  return { before, after, factor: after / before, runs_left: limit === null ? null : Math.max(0, Math.ceil((limit - at_end) / line.slope)) };
}

/* Least squares. */
function straight_line(points: (readonly [number, number])[]): { slope: number; at: (x: number) => number } {
  const mean = (part: 0 | 1) => points.reduce((sum, p) => sum + p[part], 0) / points.length;
  const x = mean(0);
  const y = mean(1);
  const slope = points.reduce((sum, p) => sum + (p[0] - x) * (p[1] - y), 0) / points.reduce((sum, p) => sum + (p[0] - x) ** 2, 0);
  return { slope, at: (there) => y + slope * (there - x) };
}
