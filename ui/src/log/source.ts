// SPDX-License-Identifier: Apache-2.0
/* source - lines of a log by number, read in blocks as they are looked at; the newest blocks read are kept. */
import { api_get, api_raw } from "../lib/api.ts";
import { take_come, take_early, type Come } from "../lib/asked.ts";
import { LOG_BLOCK as BLOCK, url_of } from "../lib/urls.ts";

const BLOCKS_MAX = 64;
const FOUND_MAX = 1000;

export interface Growth { attempt?: string; lines?: number; bytes?: number; complete?: boolean }
interface Found { lines: number[]; searched: number; more: boolean }

export class LogSource {
  total = 0;
  bytes = 0;
  complete = false;
  opened = false; // its end has been asked for, and answered
  error: Error | null = null;
  private blocks = new Map<number, string[]>();
  private busy = new Map<number, AbortController>();
  private closed = false;
  private attempt = ""; // whose lines these are; "": not known
  private held: Growth | null = null; // what was told before it was opened

  /* `expected`: of what other attempts nothing is heard. */
  constructor(readonly url: string, private readonly changed: () => void, private readonly expected: string | null = null) {
    this.take(take_come(this.early));
  }

  close(): void {
    this.closed = true;
    for (const abort of this.busy.values()) abort.abort();
  }

  line(n: number): string | undefined {
    return this.blocks.get(Math.floor(n / BLOCK))?.[n % BLOCK];
  }

  /* The stream says how long it is by now. */
  grown(told: Growth): void {
    if (!this.opened) {
      this.held = told;
      return;
    }
    const { attempt = "", lines = 0, bytes = 0, complete = false } = told;
    if (this.expected && attempt && attempt !== this.expected) return;
    this.is_of(attempt);
    if (lines < this.total || (lines === this.total && complete === this.complete)) return;
    this.total = lines;
    this.bytes = bytes;
    this.complete = complete;
    this.changed();
  }

  /* A try that was lost and placed again has another attempt, which begins anew. */
  private is_of(attempt: string): void {
    if (!attempt || attempt === this.attempt) return;
    if (this.attempt) {
      this.blocks.clear();
      this.total = this.bytes = 0;
      this.complete = false;
    }
    this.attempt = attempt;
  }

  /* Sees to it that these lines are there or on their way; blocks far away are not asked for any more. */
  want(from: number, to: number): void {
    const first = Math.max(0, Math.floor(from / BLOCK));
    const last = Math.floor(Math.max(0, Math.min(to, this.total - 1)) / BLOCK);
    for (const [b, abort] of this.busy) if (b < first - 1 || b > last + 1) abort.abort();
    for (let b = first; b <= last; b++) {
      const have = this.blocks.get(b)?.length ?? 0;
      const due = Math.min(BLOCK, Math.max(0, this.total - b * BLOCK));
      if (have < due && !this.busy.has(b)) void this.fetch(b, have);
    }
  }

  /* `may_grow`: what comes is told by the stream. Otherwise what was asked for early may be older than the end of the try. */
  async open(may_grow: boolean): Promise<void> {
    if (!this.opened) this.take(await take_early(this.early).catch(() => undefined));
    if (!this.opened || !(this.complete || may_grow)) await this.read(url_of.log_end(this.url), null);
    this.opened = true;
    if (this.held) this.grown(this.held);
    if (!this.closed) this.changed();
  }

  private get early(): string {
    return url_of.log_end(url_of.log_newest(this.url));
  }

  /* What was asked for before it was known which try is the newest, when that is this one. */
  private take(come: Come | undefined): void {
    if (!come || typeof come.body !== "string" || !this.url.endsWith(`/${come.response.headers.get("Log-Try")}`)) return;
    this.read_lines(come.response, come.body);
    this.opened = true;
  }

  private async fetch(block: number, have: number): Promise<void> {
    const abort = new AbortController();
    this.busy.set(block, abort);
    await this.read(`${this.url}?from=${block * BLOCK + have}&lines=${BLOCK - have}`, abort.signal);
    if (this.busy.get(block) === abort) this.busy.delete(block);
    if (!this.closed) this.changed();
  }

  private async read(url: string, signal: AbortSignal | null): Promise<void> {
    try {
      const response = await api_raw(url, { signal: signal ?? undefined });
      const text = await response.text();
      if (this.closed) return;
      this.read_lines(response, text);
    } catch (error) {
      if ((error as Error).name === "AbortError" || this.closed) return;
      this.error = error as Error;
    }
    this.changed();
  }

  private read_lines(response: Response, text: string): void {
    const number = (name: string) => Number(response.headers.get(name) ?? 0);
    this.is_of(response.headers.get("Log-Attempt") ?? "");
    this.total = Math.max(this.total, number("Log-Lines"));
    this.bytes = Math.max(this.bytes, number("Log-Bytes"));
    this.complete = response.headers.get("Log-Complete") === "true";
    this.error = null;
    this.put(number("Log-First-Line"), text);
  }

  private put(first: number, text: string): void {
    const lines = text.split("\n");
    if (lines[lines.length - 1] === "") lines.pop();
    lines.forEach((line, i) => {
      const n = first + i;
      const b = Math.floor(n / BLOCK);
      const block = this.blocks.get(b) ?? [];
      // A block is kept only from its beginning on: holes would look like lines.
      if (n % BLOCK > block.length) return;
      block[n % BLOCK] = line;
      this.blocks.delete(b);
      this.blocks.set(b, block);
    });
    while (this.blocks.size > BLOCKS_MAX) this.blocks.delete(this.blocks.keys().next().value as number);
  }

  /* The first thousand lines that hold it. The server looks through a piece of the log for each question; `on_part` hears what is found by
   * then, and says whether to go on. */
  async search(q: string, match_case: boolean, on_part: (found: Found) => boolean = () => true): Promise<Found> {
    const found: Found = { lines: [], searched: 0, more: true };
    while (found.more && found.lines.length < FOUND_MAX) {
      const part = await api_get<Found>(`${this.url}/search?q=${encodeURIComponent(q)}&case=${match_case}&from=${found.searched}&limit=${FOUND_MAX - found.lines.length}`);
      found.lines.push(...part.lines);
      found.more = part.more && part.searched > found.searched;
      found.searched = part.searched;
      if (!on_part(found)) break;
    }
    return found;
  }
}
