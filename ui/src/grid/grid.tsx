// SPDX-License-Identifier: Apache-2.0
/* grid - tasks down, runs across: the frame, the durations above, the cells by the painter. */
import { useEffect, useMemo, useRef, useState } from "react";
import type { Cells, Shape } from "../lib/model.ts";
import { go, Link, path_of } from "../lib/router.tsx";
import { duration, instant } from "../lib/time.ts";
import { useZone } from "../parts/clock.tsx";
import { server_now } from "../lib/api.ts";
import { RUN_LETTERS, state_of } from "../states.ts";
import { COL_W, GridPainter, type GridModel } from "./painter.ts";
import { closed_at_first, rows_of, tree_of } from "./rows.ts";
import "../styles/grid.css";

export interface Picked { ordinal: number; run: number } // ordinal -1: the run; run -1 (index into cells): the task

const HEAD_H = 62;
const SIDE_MIN = 350;

export default function Grid({ shape, cells, text, only, picked, onPick }: { shape: Shape; cells: Cells; text: string; only: string; picked: Picked | null; onPick: (picked: Picked | null) => void }) {
  const host = useRef<HTMLDivElement>(null);
  const painter = useRef<GridPainter | null>(null);
  const zone = useZone();
  const tree = useMemo(() => tree_of(shape), [shape]);
  const [closed, set_closed] = useState(() => closed_at_first(shape, tree, cells.st[0] ?? ""));
  const [width, set_width] = useState(1000);
  const shape_hash = useRef(shape.hash);
  useEffect(() => {
    if (shape_hash.current !== shape.hash) set_closed(closed_at_first(shape, tree, cells.st[0] ?? ""));
    shape_hash.current = shape.hash;
  }, [shape.hash]);

  const name_width = width < 560 ? 150 : 268;
  const shown = Math.max(3, Math.min(cells.runs.id.length, Math.floor((width - name_width - 18) / COL_W)));
  // Columns run left to right in time; the data is newest first.
  const order = useMemo(() => Array.from({ length: Math.min(shown, cells.runs.id.length) }, (_, i) => Math.min(shown, cells.runs.id.length) - 1 - i), [shown, cells.runs.id.length]);
  const rows = useMemo(() => rows_of(shape, tree, closed, text || only ? { text, letters: only, columns: order.map((r) => cells.st[r]) } : null), [shape, tree, closed, text, only, order, only ? cells.st : null]);

  const actions = useRef({ onPick, order, shape, cells });
  actions.current = { onPick, order, shape, cells };
  useEffect(() => {
    const made = (painter.current = new GridPainter(host.current!, {
      pick: (ordinal, column) => actions.current.onPick({ ordinal, run: column < 0 ? -1 : actions.current.order[column] }),
      toggle: (ordinal) => set_closed((before) => { const next = new Set(before); if (!next.delete(ordinal)) next.add(ordinal); return next; }),
      open: (ordinal, column) => {
        const { shape: s, cells: c, order: o } = actions.current;
        if (s.kind[ordinal] === 1) return;
        go(column < 0 ? path_of.dag_task(s.dag_id, s.id[ordinal]) : path_of.task(s.dag_id, c.runs.id[o[column]], s.id[ordinal]));
      },
    }));
    // The room is the page's, not the grid's own: the panel is as wide as its columns, and what is beside it takes the rest.
    const split = host.current!.closest<HTMLElement>(".dag-split") ?? host.current!.parentElement!;
    const observer = new ResizeObserver(() => set_width(split.clientWidth - (split.clientWidth >= 1000 ? SIDE_MIN : 0)));
    observer.observe(split);
    return () => { observer.disconnect(); made.close(); };
  }, []);

  useEffect(() => {
    const column_of = new Map(order.map((r, c) => [r, c]));
    const model: GridModel = {
      rows, names: shape.name, kinds: shape.kind,
      columns: order.map((r) => ({ st: cells.st[r], key: cells.runs.key[r], label: `run ${instant(cells.runs.run_after[r], zone).slice(0, 16)}` })),
      tries: new Map(cells.tries.flatMap(([r, o, n]) => (column_of.has(r) ? [[`${column_of.get(r)}/${o}`, n] as const] : []))),
      mapped: new Map(cells.mapped.flatMap(([r, o, ...counts]) => (column_of.has(r) ? [[`${column_of.get(r)}/${o}`, counts] as const] : []))),
      selected: picked ? { row: picked.ordinal, column: picked.run < 0 ? -1 : (column_of.get(picked.run) ?? -2) } : null,
    };
    painter.current!.update(model, name_width);
  }, [rows, cells, order, picked, zone, name_width, shape]);

  const now = server_now();
  const spans = order.map((r) => (cells.runs.start[r] === null ? 0 : (cells.runs.end[r] ?? now) - cells.runs.start[r]!));
  const longest = Math.max(1, ...spans);
  return (
    <div className="grid" ref={host} role="treegrid" aria-label={`Tasks of ${shape.dag_id} by run`} tabIndex={-1}>
      <div className="grid-head" style={{ height: HEAD_H, width: name_width + order.length * COL_W }} role="row">
        <div className="grid-corner" style={{ width: name_width }} role="columnheader">
          <span className="faint num">{duration(longest)}</span><span className="faint num">0</span>
        </div>
        {order.map((r, c) => {
          const state = RUN_LETTERS[cells.runs.state[r]] ?? "queued";
          const day = instant(cells.runs.run_after[r], zone).slice(5, 10);
          const label = c === 0 || (c % 4 === 0 && c < order.length - 2) || c === order.length - 1;
          const changed = c > 0 && cells.runs.version[order[c - 1]] !== cells.runs.version[r];
          const words = `Run ${cells.runs.id[r]}: ${state_of(state).word}, ${duration(spans[c])}, version ${cells.runs.version[r]}${cells.runs.note[r] ? `, note: ${cells.runs.note[r]}` : ""}`;
          return (
            <div key={cells.runs.key[r]} role="columnheader" className={`grid-run${changed ? " changed" : ""}${picked?.run === r && picked.ordinal === -1 ? " picked" : ""}`} style={{ width: COL_W }}>
              <Link to={path_of.run(shape.dag_id, cells.runs.id[r])} tabIndex={c === order.length - 1 ? 0 : -1} aria-label={words} title={words}
                onClick={(e) => { if (!e.metaKey && !e.ctrlKey && matchMedia("(min-width: 1000px)").matches && picked?.run !== r) { e.preventDefault(); onPick({ ordinal: -1, run: r }); } }}>
                <i className={`st-${state}`} style={{ height: Math.round(4 + 34 * (spans[c] / longest)) }} />
              </Link>
              {label && <span className={`grid-day num${c === 0 ? " first" : ""}`} aria-hidden="true">{day}</span>}
            </div>
          );
        })}
      </div>
      {rows.length === 0 && <div className="empty"><strong>No task fits this filter.</strong></div>}
    </div>
  );
}
