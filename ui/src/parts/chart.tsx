// SPDX-License-Identifier: Apache-2.0
/* chart - uPlot in the colours of the theme. Colour never stands alone: series differ by dash and width too, and every
 * chart can be read as a table. */
import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import "../styles/chart.css";
import { count_short } from "../lib/number.ts";
import { clock, date, instant } from "../lib/time.ts";
import { GROUP_COLOUR, type Group } from "../states.ts";
import { useZone } from "./clock.tsx";

export interface Series { name: string; group: Group | "plain"; values: (number | null)[]; dash?: number[]; fill?: boolean; stepped?: boolean; points?: boolean }

const VARIABLE = { ...GROUP_COLOUR, plain: "--muted" };

function options(series: Series[], width: number, height: number, zone: string, bars: boolean, format: (v: number) => string, x_text?: (x: number) => string, marks: { at: number; text: string }[] = [], onClick?: (index: number) => void): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const axis = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false }, font: "11px Inter, system-ui, sans-serif" };
  return {
    width, height,
    cursor: { sync: { key: "page" }, points: { size: 6 }, drag: { x: false, y: false } },
    legend: { show: false },
    // A bar stands on the right of its time: the last one needs room.
    scales: { x: { time: !x_text, ...(bars ? { range: (u: uPlot, min: number, max: number): [number, number] => [min, max + (u.data[0].length > 1 ? u.data[0][1] - u.data[0][0] : 1)] } : {}) }, y: { range: (_u, _min, max) => [0, Math.max(1, (max ?? 1) * 1.08)] } },
    tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), zone),
    axes: [
      { ...axis, size: 26, space: 64, values: (_u, ticks) => ticks.map((t) => (x_text ? x_text(t) : axis_text(t * 1000, zone, ticks.length > 1 ? (ticks[1] - ticks[0]) * 1000 : 0))) },
      { ...axis, size: 46, space: 34, values: (_u, ticks) => ticks.map((t) => format(t)) },
    ],
    series: [{}, ...series.map((s) => ({
      label: s.name, stroke: color(VARIABLE[s.group]), width: s.points ? 0 : bars ? 0 : s.dash ? 1.5 : 2, dash: s.dash, spanGaps: false,
      fill: bars ? color(VARIABLE[s.group]) : s.fill ? `color-mix(in srgb, ${color(VARIABLE[s.group])} 14%, transparent)` : undefined,
      paths: bars ? uPlot.paths.bars!({ size: [0.8, 14], align: 1 }) : s.stepped ? uPlot.paths.stepped!({ align: 1 }) : undefined,
      points: { show: !!s.points, size: 6, fill: color(VARIABLE[s.group]) },
    }))],
    hooks: {
      draw: [(u) => {
        u.ctx.save();
        u.ctx.strokeStyle = color("--line-strong");
        u.ctx.setLineDash([2, 3]);
        for (const mark of marks) {
          const x = Math.round(u.valToPos(mark.at, "x", true)) + 0.5;
          u.ctx.beginPath();
          u.ctx.moveTo(x, u.bbox.top);
          u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
          u.ctx.stroke();
        }
        u.ctx.restore();
      }],
      ready: [(u) => onClick && u.over.addEventListener("click", () => u.cursor.idx !== null && u.cursor.idx !== undefined && onClick(u.cursor.idx))],
    },
  };
}

function axis_text(at: number, zone: string, step: number): string {
  return step >= 86_400_000 ? date(at, zone).slice(5) : step >= 60_000 ? clock(at, zone).slice(0, 5) : clock(at, zone);
}

/* `at` in milliseconds, or plain numbers with `x_text`. Bars are stacked in the order of the series. */
export default function Chart({ at, series, height = 180, bars = false, label, format = count_short, x_text, marks, onClick }: { at: number[]; series: Series[]; height?: number; bars?: boolean; label: string; format?: (v: number) => string; x_text?: (x: number) => string; marks?: { at: number; text: string }[]; onClick?: (index: number) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const zone = useZone();
  const [theme, set_theme] = useState(() => document.documentElement.dataset.theme);
  const [table, set_table] = useState(false);
  const [at_cursor, set_cursor] = useState<number | null>(null);
  const names = series.map((s) => s.name).join("|");
  const click = useRef(onClick);
  click.current = onClick;
  useEffect(() => {
    const observer = new MutationObserver(() => set_theme(document.documentElement.dataset.theme));
    observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => observer.disconnect();
  }, []);
  const stacked = bars ? stack(series) : series.map((s) => s.values);
  const order = bars ? [...series.keys()].reverse() : [...series.keys()]; // the tallest is drawn first
  const data = [x_text ? at : at.map((t) => t / 1000), ...order.map((i) => stacked[i])] as uPlot.AlignedData;
  useEffect(() => {
    const element = box.current;
    if (!element || table) return;
    const opts = options(order.map((i) => series[i]), Math.max(200, element.clientWidth), height, zone, bars, format, x_text, marks?.map((m) => ({ ...m, at: x_text ? m.at : m.at / 1000 })), onClick ? (i) => click.current?.(i) : undefined);
    opts.hooks!.setCursor = [(u) => set_cursor(u.cursor.idx ?? null)];
    const made = (plot.current = new uPlot(opts, data, element));
    const observer = new ResizeObserver(() => made.setSize({ width: Math.max(200, element.clientWidth), height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [names, zone, theme, table, height, bars]);
  useEffect(() => plot.current?.setData(data), [at, series]);
  const show = at_cursor !== null && at_cursor < at.length ? at_cursor : null;
  const text_at = (i: number) => (x_text ? x_text(at[i]) : instant(at[i], zone));
  return (
    <figure className="chart" aria-label={label}>
      <div className="chart-legend">
        {series.map((s, i) => <span key={s.name} className={`key ${s.group}${s.dash ? " dash" : ""}`}><i />{s.name}{show !== null && <b className="num">{series[i].values[show] === null ? "—" : format(series[i].values[show]!)}</b>}</span>)}
        <span className="muted num grow right">{show !== null ? text_at(show) : ""}</span>
        <button className="button quiet small" aria-pressed={table} onClick={() => set_table(!table)}>{table ? "Chart" : "Table"}</button>
      </div>
      {table ? (
        <div className="chart-table" style={{ maxHeight: height }} tabIndex={0} role="region" aria-label={`${label}, as a table`}>
          <table className="table"><thead><tr><th>When</th>{series.map((s) => <th key={s.name} className="right">{s.name}</th>)}</tr></thead>
            <tbody>{at.map((_, i) => i).reverse().slice(0, 500).map((i) => <tr key={i}><td className="num">{text_at(i)}</td>{series.map((s) => <td key={s.name} className="right num">{s.values[i] === null ? "—" : format(s.values[i]!)}</td>)}</tr>)}</tbody></table>
        </div>
      ) : <div ref={box} style={{ height }} aria-hidden="true" />}
    </figure>
  );
}

function stack(series: Series[]): (number | null)[][] {
  const sums: number[] = [];
  return series.map((s) => s.values.map((v, i) => (sums[i] = (sums[i] ?? 0) + (v ?? 0))));
}
