// SPDX-License-Identifier: Apache-2.0
/* hub - one connection to the stream for all tabs: the union of what they watch, reconnects, and who hears what. Runs in
 * a SharedWorker, or in the page where there is none. */
import { backoff_ms, SseParser, type StreamEvent } from "./stream.ts";

export type LiveState = "connecting" | "live" | "waiting" | "offline";
export interface LiveStatus { state: LiveState; since: number; retry_at: number | null; last_event: number | null; delay_ms: number | null; version: string | null }
export type FromHub = { kind: "event"; event: StreamEvent; fresh: boolean } | { kind: "status"; status: LiveStatus };
export type ToHub = { kind: "topics"; topics: string[] } | { kind: "retry" } | { kind: "bye" };

interface Port { topics: Set<string>; send: (message: FromHub) => void }

const SILENCE_MS = 35_000; // two pings and a bit
const SETTLE_MS = 60; // pages mount several watchers at once
const LINGER_MS = 5000; // going back and forth must not flap

export class Hub {
  private ports = new Map<number, Port>();
  private lingering = new Map<string, number>();
  private open_topics = "";
  private abort: AbortController | null = null;
  private last_seq = -1;
  private resume_from = -1; // the oldest seq that a newly watched topic may have missed
  private attempt = 0;
  private settle: ReturnType<typeof setTimeout> | null = null;
  private again: ReturnType<typeof setTimeout> | null = null;
  private silence: ReturnType<typeof setTimeout> | null = null;
  private status: LiveStatus = { state: "connecting", since: Date.now(), retry_at: null, last_event: null, delay_ms: null, version: null };

  constructor(private readonly url: string) {}

  join(id: number, send: (message: FromHub) => void): void {
    this.ports.set(id, { topics: new Set(), send });
    send({ kind: "status", status: this.status });
  }

  receive(id: number, message: ToHub): void {
    const port = this.ports.get(id);
    if (!port) return;
    if (message.kind === "bye") {
      this.linger(port.topics, new Set());
      this.ports.delete(id);
    } else if (message.kind === "topics") {
      const next = new Set(message.topics);
      this.linger(port.topics, next);
      port.topics = next;
    } else {
      this.attempt = 0;
      this.restart(0);
      return;
    }
    if (this.settle) clearTimeout(this.settle);
    if (this.resume_from < 0) this.resume_from = this.last_seq;
    this.settle = setTimeout(() => this.settled(), SETTLE_MS);
  }

  private linger(before: Set<string>, after: Set<string>): void {
    for (const topic of before) if (!after.has(topic)) this.lingering.set(topic, Date.now() + LINGER_MS);
  }

  private wanted(): string[] {
    const all = new Set<string>();
    for (const port of this.ports.values()) for (const topic of port.topics) all.add(topic);
    const now = Date.now();
    for (const [topic, until] of this.lingering) {
      if (until <= now) this.lingering.delete(topic);
      else if (this.ports.size) all.add(topic);
    }
    return [...all].sort();
  }

  private settled(): void {
    this.settle = null;
    const topics = this.wanted();
    const text = topics.join(",");
    const open = new Set(this.open_topics.split(","));
    const grown = topics.some((topic) => !open.has(topic));
    if (!topics.length) this.close();
    else if (grown || !this.abort) this.restart(0);
    else this.resume_from = -1; // fewer topics: what comes too much is ignored
    if (!topics.length) this.open_topics = text;
  }

  private close(): void {
    this.abort?.abort();
    this.abort = null;
    if (this.again) clearTimeout(this.again);
    if (this.silence) clearTimeout(this.silence);
    this.again = this.silence = null;
  }

  private restart(delay_ms: number): void {
    this.close();
    this.again = setTimeout(() => void this.connect(), delay_ms);
  }

  private async connect(): Promise<void> {
    const topics = this.wanted();
    if (!topics.length) return;
    this.open_topics = topics.join(",");
    const after = this.resume_from >= 0 ? this.resume_from : this.last_seq;
    this.resume_from = -1;
    const abort = (this.abort = new AbortController());
    const fresh = after < 0;
    const parser = new SseParser((event) => this.heard(event, fresh), () => this.alive());
    if (this.status.state !== "live") this.say({ state: "connecting", retry_at: null });
    this.alive();
    try {
      const query = `topics=${encodeURIComponent(this.open_topics)}${fresh ? "" : `&after=${after}`}`;
      const response = await fetch(`${this.url}?${query}`, { signal: abort.signal, credentials: "same-origin", headers: { Accept: "text/event-stream" }, cache: "no-store" });
      if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        parser.feed(decoder.decode(value, { stream: true }));
      }
    } catch {
      /* told apart below by who ended it */
    }
    if (this.abort !== abort) return; // replaced on purpose
    this.abort = null;
    this.failed();
  }

  private failed(): void {
    const delay = backoff_ms(this.attempt++, Math.random());
    this.say({ state: this.attempt > 2 ? "offline" : "waiting", retry_at: Date.now() + delay });
    this.restart(delay);
  }

  private heard(event: StreamEvent, fresh: boolean): void {
    this.alive();
    if (event.name === "hello") {
      this.attempt = 0;
      if (fresh) this.last_seq = event.seq;
      this.say({ state: "live", retry_at: null, version: event.data.version ?? null });
    }
    if (event.seq > this.last_seq) this.last_seq = event.seq;
    if (event.name === "reset") this.last_seq = event.seq; // may go back: the counter of another server
    if (event.name !== "hello") this.status = { ...this.status, last_event: Date.now(), delay_ms: event.data.now ? Date.now() - event.data.now : null };
    for (const port of this.ports.values()) port.send({ kind: "event", event, fresh });
  }

  private alive(): void {
    if (this.silence) clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      const abort = this.abort;
      this.abort = null;
      abort?.abort();
      this.failed();
    }, SILENCE_MS);
  }

  private say(change: Partial<LiveStatus>): void {
    const moved = change.state !== undefined && change.state !== this.status.state;
    this.status = { ...this.status, ...change, since: moved ? Date.now() : this.status.since };
    for (const port of this.ports.values()) port.send({ kind: "status", status: this.status });
  }
}
