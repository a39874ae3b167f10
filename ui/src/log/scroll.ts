// SPDX-License-Identifier: Apache-2.0
/* scroll - which line is at the top for where the scroll bar stands. Browsers cap the height of an element, so a long log
 * gets a bar of bounded height and is scrolled in proportion. Pure. */

export const LINE_H = 18;
export const HEIGHT_MAX = 8_000_000;

export function height_of(total: number): number {
  return Math.min(HEIGHT_MAX, total * LINE_H);
}

export function is_scaled(total: number): boolean {
  return total * LINE_H > HEIGHT_MAX;
}

export function top_line(scroll: number, view: number, total: number): number {
  if (!is_scaled(total)) return Math.floor(scroll / LINE_H);
  const range = HEIGHT_MAX - view;
  const last = Math.max(0, total - Math.floor(view / LINE_H));
  return Math.min(last, Math.round((Math.min(range, Math.max(0, scroll)) / range) * last));
}

export function scroll_of(line: number, view: number, total: number): number {
  if (!is_scaled(total)) return line * LINE_H;
  const last = Math.max(1, total - Math.floor(view / LINE_H));
  return (Math.min(line, last) / last) * (HEIGHT_MAX - view);
}

/* "#L12" or "#L12-20", counted from 1, as [from, to] counted from 0. */
export function lines_of_hash(hash: string): [number, number] | null {
  const m = /^#L(\d{1,9})(?:-L?(\d{1,9}))?$/.exec(hash);
  if (!m || +m[1] < 1) return null;
  const from = +m[1] - 1;
  const to = m[2] ? Math.max(from, +m[2] - 1) : from;
  return [from, to];
}
