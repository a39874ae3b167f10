// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { closed_at_first, levels, row_letter, rows_of, tree_of } from "../src/grid/rows.ts";
import { closed_for_graph, graph_of } from "../src/graph/model.ts";
import { composed, type Item } from "../src/graph/composed.ts";
import { bounds_of, edge_path } from "../src/graph/route.ts";
import { layered } from "../src/graph/layered.ts";
import { axis_of, critical_path, from_due, nice_step } from "../src/lib/gantt.ts";
import { HEIGHT_MAX, LINE_H, lines_of_hash, scroll_of, top_line } from "../src/log/scroll.ts";
import type { Shape } from "../src/lib/model.ts";

// e -> g.a -> g.b -> z, in a file that names them backwards; g is a group, h a group of one inside it.
const SHAPE: Shape = { dag_id: "d", version: 1, hash: "h", versions: 1, id: ["z", "g.h.b", "g.a", "e", "g", "g.h"], name: ["z", "b", "a", "e", "g", "h"], kind: [0, 0, 0, 0, 1, 1], parent: [-1, 5, 4, -1, -1, 4], op: [], rule: [], queue: [], pool: [], doc: [], from: [3, 2, 1], to: [2, 1, 0] };
const tree = tree_of(SHAPE);
const names = (closed: number[], filter = null as Parameters<typeof rows_of>[3]) => rows_of(SHAPE, tree, new Set(closed), filter).map((r) => SHAPE.id[r.ordinal]);

describe("rows of the grid", () => {
  test("stand in the order in which they can start, groups before their members", () => expect(names([])).toEqual(["e", "g", "g.a", "g.h", "g.h.b", "z"]));
  test("a closed group hides its members", () => expect(names([4])).toEqual(["e", "g", "z"]));
  test("a filter keeps the path to what fits", () => expect(names([], { text: "b", letters: "", columns: [] })).toEqual(["g", "g.h", "g.h.b"]));
  test("a state filter keeps a row that fits in any run shown", () => expect(names([], { text: "", letters: "f", columns: ["ssss", "sfss"] })).toEqual(["g", "g.h", "g.h.b"]));
  test("a group shows the worst of its members", () => expect(row_letter(rows_of(SHAPE, tree, new Set([4]), null)[1], "srfs")).toBe("f"));
  test("a level is the longest path from a start", () => expect(levels(SHAPE).slice(0, 4)).toEqual([3, 2, 1, 0]));
  test("a small DAG begins open", () => expect(closed_at_first(SHAPE, tree, "ssss").size).toBe(0));
});

describe("the graph", () => {
  test("an edge into a closed group ends at the group, once", () => {
    const g = graph_of(SHAPE, new Set([4]));
    expect(g.nodes.map((n) => n.ordinal)).toEqual([0, 3, 4]);
    expect(g.edges).toEqual([{ from: 3, to: 4 }, { from: 4, to: 0 }]);
  });
  test("groups are closed only when there are too many tasks", () => { expect(closed_for_graph(SHAPE, 10).size).toBe(0); expect([...closed_for_graph(SHAPE, 2)]).toEqual([4, 5]); });
  test("a layered layout puts each node right of what it waits for, and none on another", () => {
    const n = 600;
    const edges: [number, number][] = Array.from({ length: n * 2 }, (_, i) => [i % (n - 7), (i % (n - 7)) + 1 + ((i * 5) % 6)]);
    const sizes = Array.from({ length: n }, (_, i) => ({ w: 100 + (i % 40), h: 40 }));
    const at = layered(sizes, edges);
    for (const [from, to] of edges) expect(at[to].x).toBeGreaterThanOrEqual(at[from].x + sizes[from].w);
    const places = new Set(at.map((p) => `${p.x},${p.y}`));
    expect(places.size).toBe(n);
  });
  test.each([false, true])("an open group is a box around its members, and stands behind what it waits for (downwards: %s)", (down) => {
    const items: Item[] = [0, 1, 2, 3, 4, 5].map((id) => ({ id, parent: [-1, 5, 5, -1, -1, 4][id], w: 100, h: 40, box: id > 3 }));
    const at = new Map(composed(items, [[0, 1], [1, 2], [2, 3]], down).map(([id, x, y, w, h]) => [id, { x, y, w, h }]));
    const start = (id: number) => (down ? at.get(id)!.y : at.get(id)!.x);
    const end = (id: number) => start(id) + (down ? at.get(id)!.h : at.get(id)!.w);
    for (const [before, after] of [[0, 4], [1, 2], [4, 3]]) expect(start(after)).toBeGreaterThan(end(before));
    for (const [box, member] of [[4, 5], [5, 1], [5, 2]]) {
      const [b, m] = [at.get(box)!, at.get(member)!];
      expect(m.x > b.x && m.y > b.y && m.x + m.w < b.x + b.w && m.y + m.h < b.y + b.h).toBe(true);
    }
    expect(at.size).toBe(6);
  });
  test("members that do not wait for each other stand in rows, none upon another, about as wide as high", () => {
    const items: Item[] = Array.from({ length: 101 }, (_, id) => ({ id, parent: id < 100 ? 100 : -1, w: 150, h: 40, box: id === 100 }));
    const at = composed(items, [], false);
    const [, , , w, h] = at.find(([id]) => id === 100)!;
    expect(w / h).toBeGreaterThan(0.8);
    expect(w / h).toBeLessThan(2.5);
    expect(new Set(at.map(([, x, y]) => `${x},${y}`)).size).toBe(101);
    for (const [id, x, y] of at.filter(([id]) => id < 100)) expect(at.some(([o, ox, oy]) => o < 100 && o !== id && Math.abs(ox - x) < 150 && Math.abs(oy - y) < 40)).toBe(false);
  });
  test("an edge runs from the end of one node to the beginning of the next", () => {
    const [a, b] = [{ x: 0, y: 0, w: 100, h: 40 }, { x: 200, y: 100, w: 100, h: 40 }];
    expect(edge_path(a, b, false)).toBe("M100 20C150 20 150 120 200 120");
    expect(edge_path(a, b, true)).toBe("M50 40C50 70 250 70 250 100");
    expect(bounds_of([a, b])).toEqual({ x: 0, y: 0, w: 300, h: 140 });
    expect(bounds_of([])).toBeNull();
  });
  test("groups that wait for each other are laid out all the same", () => {
    const items: Item[] = [0, 1, 2, 3].map((id) => ({ id, parent: [2, 3, -1, -1][id], w: 100, h: 40, box: id > 1 }));
    const at = composed(items, [[0, 1], [1, 0]], false);
    expect(new Set(at.map(([, x, y]) => `${x},${y}`)).size).toBe(4);
  });
});

describe("the timeline", () => {
  test("time goes from left to right, whatever is cut out", () => {
    const axis = axis_of([{ from: 0, to: 100 }, { from: 90_000, to: 90_200 }], Infinity);
    expect(axis.gaps).toEqual([{ from: 100, to: 90_000 }]);
    let before = -1;
    for (let at = 0; at <= 90_200; at += 50) { expect(axis.position(at)).toBeGreaterThanOrEqual(before); before = axis.position(at); }
    expect([axis.position(0), axis.position(90_200)]).toEqual([0, 1]);
    expect(axis.position(100)).toBeGreaterThan(0.2);
  });
  test("without a gap a share of the time is that share of the width", () => expect(axis_of([{ from: 0, to: 1000 }], Infinity).position(250)).toBeCloseTo(0.25));
  test("the critical path is what the end waited for", () => expect([...critical_path([10, 50, 20, 90, null], [0, 1, 2], [3, 3, 1])].sort()).toEqual([1, 2, 3]));
  test("steps are round", () => { expect(nice_step(1300)).toBe(2000); expect(nice_step(50_000)).toBe(60_000); });
});

describe("scrolling a log", () => {
  const view = 700;
  test("every line can be reached, at any length", () => {
    for (const total of [10, 5000, 444_445, 1_000_000, 20_000_000]) {
      const last = Math.max(0, total - Math.floor(view / LINE_H));
      for (const line of [0, 1, Math.floor(last / 3), last - 1, last].filter((l) => l >= 0)) {
        const back = top_line(scroll_of(line, view, total), view, total);
        expect(Math.abs(back - line)).toBeLessThanOrEqual(total * LINE_H > HEIGHT_MAX ? 1 : 0);
      }
    }
  });
  test("links to lines are read, and others are not", () => {
    expect(lines_of_hash("#L12")).toEqual([11, 11]);
    expect(lines_of_hash("#L12-20")).toEqual([11, 19]);
    for (const bad of ["#L0", "#12", "", "#L1x"]) expect(lines_of_hash(bad)).toBeNull();
  });
});

describe("runs laid under one another", () => {
  test("each begins when it was due, waits, and runs", () => expect(from_due([{ due: 1000, start: 1200, end: 2000 }])).toEqual([{ queued: 0, start: 200, end: 1000 }]));
  test("one that waited longer than any ran does not squeeze the others", () => {
    const [late, other] = from_due([{ due: 0, start: 900_000, end: 900_100 }, { due: 0, start: 10, end: 60 }]);
    expect(late).toEqual({ queued: 0, start: 100, end: 200 });
    expect(other).toEqual({ queued: 0, start: 10, end: 60 });
  });
  test("one that began before it was due has not waited", () => expect(from_due([{ due: 500, start: 400, end: 900 }])[0].start).toBe(0));
});
