// SPDX-License-Identifier: Apache-2.0
/* levels - how many lines of a log are of which level, and the lines of some levels with their numbers. The server looks;
 * it gives what it found so far, and is asked again until the end is reached. */
import { api_get } from "../lib/api.ts";

export const LEVELS: [string, string][] = [["error", "Error"], ["warning", "Warning"], ["info", "Info"], ["debug", "Debug"], ["plain", "Other"]];
export const ROWS_MAX = 20_000;

export type LeveledLine = [number, string];
interface Answer { lines: LeveledLine[]; counts: Record<string, number>; before: string; searched: number; total_lines: number; more: boolean }

export class LevelReader {
  counts: Record<string, number> = {};
  rows: LeveledLine[] = [];
  searched = 0;
  private before = "plain";
  private busy = false;
  private closed = false;

  /* `wanted`: "error,warning"; empty: they are counted alone. */
  constructor(private readonly url: string, private readonly wanted: string, private readonly changed: () => void) {}

  close(): void {
    this.closed = true;
  }

  get is_full(): boolean {
    return this.rows.length >= ROWS_MAX;
  }

  /* Reads on until it knows `total` lines. */
  async read(total: number): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      while (!this.closed && this.searched < total && !this.is_full) {
        const answer = await api_get<Answer>(`${this.url}/levels?level=${this.wanted}&from=${this.searched}&before=${this.before}`);
        if (answer.searched <= this.searched) break;
        this.add(answer);
      }
    } catch {
      // Another growth of the log, or the next choice of levels, asks again.
    } finally {
      this.busy = false;
    }
  }

  private add(answer: Answer): void {
    this.rows.push(...answer.lines);
    for (const [level, n] of Object.entries(answer.counts)) this.counts[level] = (this.counts[level] ?? 0) + n;
    this.searched = answer.searched;
    this.before = answer.before;
    if (!this.closed) this.changed();
  }
}

/* The first row at or behind a line; one behind the last when there is none. */
export function row_of_line(rows: LeveledLine[], line: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle][0] < line) low = middle + 1;
    else high = middle;
  }
  return low;
}
