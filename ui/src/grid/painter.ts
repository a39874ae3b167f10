// SPDX-License-Identifier: Apache-2.0
/* painter - draws the grid's cells by hand. A grid of thousands of tasks by dozens of runs must not be thousands of React
 * elements: rows are recycled while scrolling, a state is one class name, hovering moves two bars and touches no cell. */
import { state_of_letter } from "../states.ts";
import { row_letter, type Row } from "./rows.ts";

export const ROW_H = 24;
export const COL_W = 22;
const OVERSCAN = 8;

export interface GridModel {
  rows: Row[];
  names: string[];
  kinds: number[];
  columns: { st: string; label: string; key: number }[]; // left to right
  tries: Map<string, number>; // "column/ordinal"
  mapped: Map<string, number[]>;
  selected: { row: number; column: number } | null; // ordinal and column index; row -1: the whole run, column -1: the task in all
}

export interface GridEvents { pick(ordinal: number, column: number): void; toggle(ordinal: number): void; open(ordinal: number, column: number): void }

interface Line { root: HTMLElement; name: HTMLElement; twist: HTMLElement; text: HTMLElement; cells: HTMLElement[]; at: number }

export class GridPainter {
  private lines: Line[] = [];
  private model: GridModel | null = null;
  private readonly canvas = document.createElement("div");
  private readonly bar_row = document.createElement("div");
  private readonly bar_column = document.createElement("div");
  private active = { row: 0, column: -1 };
  private name_width = 0;

  constructor(private readonly host: HTMLElement, private readonly events: GridEvents) {
    this.canvas.className = "grid-canvas";
    this.bar_row.className = "grid-cross";
    this.bar_column.className = "grid-cross";
    this.canvas.append(this.bar_row, this.bar_column);
    host.append(this.canvas);
    host.addEventListener("scroll", this.paint, { passive: true });
    host.addEventListener("pointermove", this.hover);
    host.addEventListener("pointerleave", this.leave);
    host.addEventListener("click", this.click);
    host.addEventListener("dblclick", this.double);
    host.addEventListener("keydown", this.key);
  }

  close(): void {
    this.host.removeEventListener("scroll", this.paint);
    this.host.removeEventListener("pointermove", this.hover);
    this.host.removeEventListener("pointerleave", this.leave);
    this.host.removeEventListener("click", this.click);
    this.host.removeEventListener("dblclick", this.double);
    this.host.removeEventListener("keydown", this.key);
    this.canvas.remove();
  }

  update(model: GridModel, name_width: number): void {
    const columns_changed = this.model?.columns.length !== model.columns.length || this.name_width !== name_width;
    this.model = model;
    this.name_width = name_width;
    if (columns_changed) {
      for (const line of this.lines) line.root.remove();
      this.lines = [];
    }
    this.active.row = Math.min(this.active.row, Math.max(0, model.rows.length - 1));
    this.active.column = Math.min(this.active.column, model.columns.length - 1);
    this.canvas.style.height = `${model.rows.length * ROW_H}px`;
    this.canvas.style.width = `${name_width + model.columns.length * COL_W}px`;
    this.host.setAttribute("aria-rowcount", String(model.rows.length));
    this.host.setAttribute("aria-colcount", String(model.columns.length + 1));
    // In place, so that the row that has the focus keeps it.
    for (const line of this.lines) {
      if (line.at >= 0 && line.at < model.rows.length && line.root.style.display !== "none") this.fill(line, line.at);
      else line.at = -1;
    }
    this.paint();
  }

  private readonly paint = (): void => {
    const model = this.model;
    if (!model) return;
    const head = (this.host.firstElementChild as HTMLElement).offsetHeight;
    const first = Math.max(0, Math.floor((this.host.scrollTop - head) / ROW_H) - OVERSCAN);
    const last = Math.min(model.rows.length, Math.ceil((this.host.scrollTop + this.host.clientHeight) / ROW_H) + OVERSCAN);
    const wanted = new Set<number>();
    for (let i = first; i < last; i++) wanted.add(i);
    const free: Line[] = [];
    for (const line of this.lines) {
      const keep = wanted.has(line.at) || line.root.contains(document.activeElement); // focus is never recycled away
      if (keep && line.at >= 0) wanted.delete(line.at);
      else free.push(line);
    }
    for (const i of wanted) {
      const line = free.pop() ?? this.make();
      this.fill(line, i);
    }
    for (const line of free) {
      line.root.style.display = "none";
      line.at = -1;
    }
    this.roving();
  };

  private make(): Line {
    const root = document.createElement("div");
    root.className = "grid-row";
    root.setAttribute("role", "row");
    const name = document.createElement("div");
    name.className = "grid-name";
    name.setAttribute("role", "rowheader");
    name.tabIndex = -1;
    name.style.width = `${this.name_width}px`;
    const twist = document.createElement("span");
    twist.className = "twist";
    const text = document.createElement("span");
    text.className = "clip";
    name.append(twist, text);
    root.append(name);
    const cells = this.model!.columns.map((_, c) => {
      const cell = document.createElement("div");
      cell.setAttribute("role", "gridcell");
      cell.tabIndex = -1;
      cell.dataset.c = String(c);
      root.append(cell);
      return cell;
    });
    this.canvas.append(root);
    const line = { root, name, twist, text, cells, at: -1 };
    this.lines.push(line);
    return line;
  }

  private fill(line: Line, i: number): void {
    const model = this.model!;
    const row = model.rows[i];
    const { ordinal } = row;
    line.at = i;
    line.root.style.display = "";
    line.root.style.transform = `translateY(${i * ROW_H}px)`;
    line.root.dataset.i = String(i);
    line.root.setAttribute("aria-rowindex", String(i + 1));
    line.root.setAttribute("aria-level", String(row.depth + 1));
    if (row.group) line.root.setAttribute("aria-expanded", String(row.open));
    else line.root.removeAttribute("aria-expanded");
    const name = model.names[ordinal];
    line.text.textContent = row.group ? `${name} (${row.leaves.length})` : name;
    line.name.title = name;
    line.name.style.paddingLeft = `${10 + row.depth * 14}px`;
    line.name.className = `grid-name${row.group ? " group" : ""}${model.kinds[ordinal] === 2 ? " mapped" : ""}${model.selected?.row === ordinal && model.selected.column === -1 ? " picked" : ""}`;
    line.twist.textContent = row.group ? (row.open ? "▾" : "▸") : "";
    for (let c = 0; c < line.cells.length; c++) this.fill_cell(line.cells[c], row, name, c);
  }

  private fill_cell(cell: HTMLElement, row: Row, name: string, c: number): void {
    const model = this.model!;
    const column = model.columns[c];
    const state = state_of_letter(row_letter(row, column.st));
    const attempt = row.group ? 0 : (model.tries.get(`${c}/${row.ordinal}`) ?? 0);
    const mapped = model.mapped.get(`${c}/${row.ordinal}`);
    const in_run = model.selected?.column === c && model.selected.row === -1;
    const picked = model.selected?.column === c && model.selected.row === row.ordinal;
    const look = `cell st-${state.name}${mapped ? " is-mapped" : ""}${attempt > 1 ? " retried" : ""}${picked ? " picked" : in_run ? " in-run" : ""}`;
    if (cell.className !== look) cell.className = look;
    const label = `${name}, ${column.label}, ${state.word}${attempt > 1 ? `, try ${attempt}` : ""}${mapped ? `, ${mapped[3]} of ${mapped[0]} good, ${mapped[4]} bad` : ""}`;
    if (cell.getAttribute("aria-label") !== label) cell.setAttribute("aria-label", label);
    cell.setAttribute("aria-colindex", String(c + 2));
  }

  private place(event: Event): { row: number; column: number } | null {
    const target = event.target as HTMLElement;
    const root = target.closest<HTMLElement>(".grid-row");
    if (!root) return null;
    const cell = target.closest<HTMLElement>("[data-c]");
    return { row: Number(root.dataset.i), column: cell ? Number(cell.dataset.c) : -1 };
  }

  private readonly hover = (event: PointerEvent): void => {
    const at = this.place(event);
    this.bar_row.style.display = at ? "block" : "none";
    this.bar_column.style.display = at && at.column >= 0 ? "block" : "none";
    if (!at || !this.model) return;
    this.bar_row.style.transform = `translateY(${at.row * ROW_H}px)`;
    this.bar_row.style.width = "100%";
    this.bar_row.style.height = `${ROW_H}px`;
    this.bar_column.style.transform = `translateX(${this.name_width + at.column * COL_W}px)`;
    this.bar_column.style.width = `${COL_W}px`;
    this.bar_column.style.height = "100%";
    const row = this.model.rows[at.row];
    const cell = (event.target as HTMLElement).closest<HTMLElement>("[data-c]");
    if (cell && row) cell.title = cell.getAttribute("aria-label") ?? "";
  };

  private readonly leave = (): void => {
    this.bar_row.style.display = this.bar_column.style.display = "none";
  };

  private readonly click = (event: MouseEvent): void => {
    const at = this.place(event);
    if (!at || !this.model) return;
    const row = this.model.rows[at.row];
    this.active = at;
    if (row.group && (at.column < 0 || (event.target as HTMLElement).closest(".twist"))) this.events.toggle(row.ordinal);
    else this.events.pick(row.ordinal, at.column);
    this.roving();
  };

  private readonly double = (event: MouseEvent): void => {
    const at = this.place(event);
    if (at && this.model && !this.model.rows[at.row].group) this.events.open(this.model.rows[at.row].ordinal, at.column);
  };

  private readonly key = (event: KeyboardEvent): void => {
    const model = this.model;
    if (!model || !model.rows.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const { row, column } = this.active;
    const last = model.columns.length - 1;
    const here = model.rows[row];
    const page = Math.max(1, Math.floor(this.host.clientHeight / ROW_H) - 3);
    const moves: Record<string, [number, number]> = {
      ArrowDown: [row + 1, column], ArrowUp: [row - 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
      Home: [row, 0], End: [row, last], PageDown: [row + page, column], PageUp: [row - page, column],
    };
    if (event.key === "Enter") this.events.open(here.ordinal, column);
    else if (event.key === " ") this.events.pick(here.ordinal, column);
    else if (event.key === "ArrowRight" && here.group && column < 0 && !here.open) this.events.toggle(here.ordinal);
    else if (event.key === "ArrowLeft" && here.group && column < 0 && here.open) this.events.toggle(here.ordinal);
    else if (event.key === "n" || event.key === "N") this.next_failed(event.key === "n" ? 1 : -1);
    else if (moves[event.key]) this.move(...moves[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  private next_failed(step: number): void {
    const model = this.model!;
    const width = model.columns.length;
    const total = model.rows.length * width;
    let at = this.active.row * width + Math.max(0, this.active.column);
    for (let n = 0; n < total; n++) {
      at = (at + step + total) % total;
      const row = model.rows[Math.floor(at / width)];
      if (!row.group && row_letter(row, model.columns[at % width].st) === "f") return this.move(Math.floor(at / width), at % width);
    }
  }

  private move(row: number, column: number): void {
    const model = this.model!;
    this.active = { row: Math.max(0, Math.min(model.rows.length - 1, row)), column: Math.max(-1, Math.min(model.columns.length - 1, column)) };
    const head = (this.host.firstElementChild as HTMLElement).offsetHeight;
    const top = this.active.row * ROW_H;
    if (top < this.host.scrollTop) this.host.scrollTop = top;
    else if (top + ROW_H + head > this.host.scrollTop + this.host.clientHeight) this.host.scrollTop = top + ROW_H + head - this.host.clientHeight;
    this.paint();
    this.element(this.active)?.focus();
    this.events.pick(model.rows[this.active.row].ordinal, this.active.column);
  }

  private element(at: { row: number; column: number }): HTMLElement | null {
    const line = this.lines.find((l) => l.at === at.row && l.root.style.display !== "none");
    return line ? (at.column < 0 ? line.name : line.cells[at.column]) : null;
  }

  /* One stop for the Tab key in the whole grid. */
  private roving(): void {
    for (const old of this.canvas.querySelectorAll<HTMLElement>("[tabindex='0']")) old.tabIndex = -1;
    const element = this.element(this.active) ?? this.lines.find((l) => l.root.style.display !== "none")?.name;
    if (element) element.tabIndex = 0;
  }
}
