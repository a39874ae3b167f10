// SPDX-License-Identifier: Apache-2.0
/* gantt - where bars stand on a time axis whose long empty stretches are cut out, and which tasks made the run as long as
 * it is. Pure. */

export interface Interval { from: number; to: number }
export interface Axis { from: number; to: number; gaps: Interval[]; position: (at: number) => number; ticks: number[]; breaks: number[] }

const GAP_SHARE = 0.2; // an empty stretch longer than this share of the whole is cut
const CUT_SHARE = 0.02; // and takes this much of the width

/* `from_at_most`: the axis begins there or earlier; Infinity where that does not matter. */
export function axis_of(bars: Interval[], from_at_most: number): Axis {
  const from = Math.min(...bars.map((b) => b.from), from_at_most);
  const to = Math.max(...bars.map((b) => b.to), from + 1);
  const gaps = gaps_of(bars, from, to);
  const cut = gaps.reduce((sum, g) => sum + (g.to - g.from), 0);
  const kept = to - from - cut;
  const scale = (1 - CUT_SHARE * gaps.length) / kept;
  const position = (at: number) => {
    let x = Math.max(0, Math.min(to, at) - from) * scale;
    for (const gap of gaps) {
      if (at <= gap.from) break;
      x -= (Math.min(at, gap.to) - gap.from) * scale;
      x += (CUT_SHARE * (Math.min(at, gap.to) - gap.from)) / (gap.to - gap.from);
    }
    return Math.max(0, Math.min(1, x));
  };
  const step = nice_step(kept / 6);
  const ticks: number[] = [];
  for (let at = Math.ceil(from / step) * step; at < to && ticks.length < 200; at += step) if (!gaps.some((g) => at > g.from && at < g.to)) ticks.push(at);
  return { from, to, gaps, position, ticks, breaks: gaps.map((g) => position((g.from + g.to) / 2)) };
}

function gaps_of(bars: Interval[], from: number, to: number): Interval[] {
  const sorted = [...bars].sort((a, b) => a.from - b.from);
  const gaps: Interval[] = [];
  let reached = from;
  for (const bar of sorted) {
    if (bar.from - reached > (to - from) * GAP_SHARE) gaps.push({ from: reached, to: bar.from });
    reached = Math.max(reached, bar.to);
  }
  return gaps;
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000, 604_800_000];

export function nice_step(ms: number): number {
  return STEPS.find((step) => step >= ms) ?? Math.ceil(ms / 604_800_000) * 604_800_000;
}

/* Runs laid one under the other from the moment each was due: how long it waited and then ran. One that waited longer than
 * any ran, a caught-up one say, is drawn as having waited that long. */
export function from_due(runs: { due: number; start: number; end: number }[]): { queued: number; start: number; end: number }[] {
  const longest = Math.max(0, ...runs.map((r) => r.end - r.start));
  return runs.map((r) => {
    const waited = Math.max(0, Math.min(r.start - r.due, longest));
    return { queued: 0, start: waited, end: waited + r.end - r.start };
  });
}

/* The chain of tasks that the end waited for: from the one that ended last, back along the upstream that ended last. */
export function critical_path(end: (number | null)[], from: number[], to: number[]): Set<number> {
  const up = new Map<number, number[]>();
  to.forEach((t, i) => up.set(t, [...(up.get(t) ?? []), from[i]]));
  const latest = (list: number[]) => list.reduce<number>((best, o) => (end[o] !== null && (best < 0 || end[o]! > end[best]!) ? o : best), -1);
  const path = new Set<number>();
  for (let at = latest(end.map((_, i) => i)); at >= 0 && !path.has(at); at = latest(up.get(at) ?? [])) path.add(at);
  return path;
}
