// SPDX-License-Identifier: Apache-2.0
/* stream - the pure half of live updates: server-sent events from bytes, and which of them a snapshot still needs. */

export interface StreamEvent { name: string; seq: number; data: StreamData }
export interface StreamData { seq?: number; now?: number; c?: unknown[][]; dags?: string[]; log?: string; attempt?: string; lines?: number; bytes?: number; complete?: boolean; version?: string }

export type TiChange = [dag: string, run: string, task: string, map: number, state: string, attempt: number, start: number | null, end: number | null, worker: string | null];
export type RunChange = [dag: string, run: string, key: number, state: string, type: string, run_after: number, start: number | null, end: number | null];

/* Feeds on text in any pieces; calls `event` for each complete one and `ping` for each comment. */
export class SseParser {
  private rest = "";
  private name = "";
  private data: string[] = [];
  private id = "";
  constructor(private readonly event: (event: StreamEvent) => void, private readonly ping: () => void) {}

  feed(text: string): void {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop()!;
    for (const line of lines) this.line(line);
  }

  private line(line: string): void {
    if (line === "") return this.dispatch();
    if (line.startsWith(":")) return this.ping();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.name = value;
    else if (field === "data") this.data.push(value);
    else if (field === "id") this.id = value;
  }

  private dispatch(): void {
    const { name, data, id } = this;
    this.name = "";
    this.data = [];
    this.id = "";
    if (!data.length) return;
    let parsed: StreamData;
    try {
      parsed = JSON.parse(data.join("\n")) as StreamData;
    } catch {
      return; // a damaged event; the next snapshot repairs what it held
    }
    const seq = parsed.seq ?? Number(id || 0); // the id is only where to resume
    this.event({ name: name || "message", seq, data: parsed });
  }
}

/* Decides which events a snapshot needs. Events come at least once and, over reconnects, maybe twice or late; a
 * snapshot of seq S holds all up to S. What was delivered before is remembered by number, and an object's older state
 * never replaces a newer one (fresh). */
export class Gate {
  private base = -1; // seq of the snapshot; -1 while none is there
  private floor = -1; // below this nothing is known: the stream began here
  private seen = new Set<number>();
  private newest = new Map<string, number>();
  private waiting: StreamEvent[] = [];

  /* The events that came while the snapshot was under way and that it does not hold, in order. */
  snapshot(seq: number): StreamEvent[] {
    this.base = seq;
    this.newest.clear();
    this.seen.clear();
    const queued = this.waiting.filter((event) => event.seq > seq).sort((a, b) => a.seq - b.seq);
    this.waiting = [];
    return queued.filter((event) => this.admit(event));
  }

  /* The event if it is to be applied now, else null. */
  event(event: StreamEvent): StreamEvent | null {
    if (this.base < 0) {
      this.waiting.push(event);
      return null;
    }
    return this.admit(event) ? event : null;
  }

  /* Called while a newer snapshot is asked for: what comes meanwhile is applied now and kept for after it. */
  keep(event: StreamEvent): void {
    if (event.seq > this.base) this.waiting.push(event);
  }

  /* All events after `seq` have been heard, and none before. True: the snapshot is older and must be asked for again. */
  covered(seq: number): boolean {
    this.floor = seq;
    return this.base >= 0 && this.base < seq;
  }

  too_old(seq: number): boolean {
    return seq < this.floor;
  }

  /* Whether this state of `object` is newer than what was applied to it. */
  fresh(object: string, seq: number): boolean {
    if (seq < (this.newest.get(object) ?? -1)) return false;
    this.newest.set(object, seq);
    return true;
  }

  private admit(event: StreamEvent): boolean {
    if (event.seq <= this.base || this.seen.has(event.seq)) return false;
    this.seen.add(event.seq);
    if (this.seen.size > 4096) this.seen = new Set([...this.seen].slice(2048));
    return true;
  }
}

/* How long to wait before the n-th try to connect: half a second doubling to 15 s, spread so that a thousand browsers do
 * not come back at once. */
export function backoff_ms(attempt: number, random: number): number {
  return Math.min(15_000, 500 * 2 ** Math.min(attempt, 10)) * (0.5 + random / 2);
}
