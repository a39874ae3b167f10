// SPDX-License-Identifier: Apache-2.0
/* hub - one connection to the stream for all tabs: the union of what they watch, reconnects, and who hears what. Runs in
 * a SharedWorker, or in the page where there is none.
 *
 * A snapshot lags behind the stream by seconds, so whoever begins to watch needs the events of just before. The hub keeps
 * those it has heard, and asks for a new topic from some seconds back; at first from where the page's snapshots are. `covered` tells from which position on a tab has
 * heard all there is of a topic. An event holds what changed of the topics that its connection asked for, and no more: told
 * again after a new topic it has the same number and may say more. */
import { backoff_ms, SseParser, type StreamEvent } from "./stream.ts";

export type LiveState = "idle" | "connecting" | "live" | "waiting" | "offline"; // idle: no page watches anything
export interface LiveStatus { state: LiveState; since: number; retry_at: number | null; last_event: number | null; delay_ms: number | null; version: string | null }
export type FromHub =
  | { kind: "events"; topics: string[]; events: StreamEvent[]; kept?: boolean } // topics: what the server was asked for when it told them
  | { kind: "covered"; from: [topic: string, seq: number][]; reset: boolean }
  | { kind: "status"; status: LiveStatus };
/* `from`: the position of the oldest snapshot on the page. */
export type ToHub = { kind: "topics"; topics: string[]; from?: number } | { kind: "retry" } | { kind: "bye" };

interface Port { topics: Set<string>; send: (message: FromHub) => void }

const SILENCE_MS = 35_000; // two pings and a bit
const SETTLE_MS = 60; // pages mount several watchers at once
const LINGER_MS = 5000; // going back and forth must not flap
const BACK_MS = 6000; // twice what a snapshot lags
const KEPT_MAX = 5000;

export class Hub {
  private ports = new Map<number, Port>();
  private lingering = new Map<string, number>();
  private covered = new Map<string, number>();
  private kept: { at: number; topics: string[]; event: StreamEvent }[] = [];
  private kept_from = -1; // events after this one are in `kept`
  private logs = new Map<string, StreamEvent>(); // the newest of each, by topic: they have no numbers
  private current: AbortController | null = null; // the connection that is heard
  private next: AbortController | null = null; // the one that shall replace it, until it has said hello
  private last_seq = -1;
  private attempt = 0;
  private settle: ReturnType<typeof setTimeout> | null = null;
  private again: ReturnType<typeof setTimeout> | null = null;
  private silence: ReturnType<typeof setTimeout> | null = null;
  private status: LiveStatus = { state: "idle", since: Date.now(), retry_at: null, last_event: null, delay_ms: null, version: null };

  constructor(private readonly url: string, private readonly now: () => number = Date.now) {}

  join(id: number, send: (message: FromHub) => void): void {
    this.ports.set(id, { topics: new Set(), send });
    send({ kind: "status", status: this.status });
  }

  receive(id: number, message: ToHub): void {
    const port = this.ports.get(id);
    if (!port) return;
    if (message.kind === "retry") {
      this.attempt = 0;
      return this.restart(0);
    }
    const topics = new Set(message.kind === "topics" ? message.topics : []);
    if (message.kind === "topics" && message.from !== undefined && this.last_seq < 0) this.last_seq = this.kept_from = message.from;
    for (const topic of port.topics) if (!topics.has(topic)) this.lingering.set(topic, this.now() + LINGER_MS);
    port.topics = topics;
    if (message.kind === "bye") this.ports.delete(id);
    else this.catch_up(port);
    this.settle ??= setTimeout(() => this.settled(), SETTLE_MS);
  }

  /* What was heard of topics that are open already, for a watcher that is new. */
  private catch_up(port: Port): void {
    const open = [...port.topics].filter((topic) => this.covered.has(topic));
    if (!open.length) return;
    for (let i = 0, end = 0; i < this.kept.length; i = end) {
      const { topics } = this.kept[i];
      while (end < this.kept.length && this.kept[end].topics === topics) end++;
      port.send({ kind: "events", topics, events: this.kept.slice(i, end).map((k) => k.event), kept: true });
    }
    for (const topic of open) if (this.logs.has(topic)) port.send({ kind: "events", topics: [topic], events: [this.logs.get(topic)!], kept: true });
    port.send({ kind: "covered", from: open.map((topic) => [topic, Math.max(this.covered.get(topic)!, this.kept_from)]), reset: false });
  }

  private wanted(): string[] {
    const all = new Set<string>();
    for (const port of this.ports.values()) for (const topic of port.topics) all.add(topic);
    for (const [topic, until] of this.lingering) {
      if (until <= this.now()) this.lingering.delete(topic);
      else if (this.ports.size) all.add(topic);
    }
    return [...all].sort();
  }

  private settled(): void {
    this.settle = null;
    const topics = this.wanted();
    if (!topics.length) return this.close();
    // Fewer topics: what comes too much is ignored.
    if (!(this.current ?? this.next ?? this.again) || topics.some((topic) => !this.covered.has(topic))) this.restart(0);
  }

  private close(): void {
    this.current?.abort();
    this.next?.abort();
    this.current = this.next = null;
    this.covered.clear();
    this.logs.clear();
    for (const timer of [this.again, this.silence]) if (timer) clearTimeout(timer);
    this.again = this.silence = null;
    this.say({ state: "idle", retry_at: null });
  }

  private restart(delay_ms: number): void {
    if (this.again) clearTimeout(this.again);
    this.again = setTimeout(() => {
      this.again = null;
      void this.connect();
    }, delay_ms);
  }

  /* The position to ask from: some seconds back, or as far as is known. */
  private from(): number {
    this.forget();
    return this.kept_from >= 0 ? this.kept_from : this.last_seq;
  }

  private forget(): void {
    const old = this.now() - BACK_MS;
    let drop = 0;
    while (drop < this.kept.length && (this.kept[drop].at < old || this.kept.length - drop > KEPT_MAX)) drop++;
    if (drop) this.kept_from = this.kept[drop - 1].event.seq;
    this.kept.splice(0, drop);
  }

  /* The old connection is heard until the new one speaks: the server forgets what nobody listens to. */
  private async connect(): Promise<void> {
    const topics = this.wanted();
    if (!topics.length) return;
    this.next?.abort();
    const abort = (this.next = new AbortController());
    const after = this.from();
    const parser = new SseParser((event) => this.heard(event, abort, topics, after), () => this.alive());
    if (this.status.state !== "live") this.say({ state: "connecting", retry_at: null });
    this.alive();
    try {
      const query = `topics=${encodeURIComponent(topics.join(","))}${after < 0 ? "" : `&after=${after}`}`;
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
    this.ended(abort);
  }

  private ended(abort: AbortController): void {
    if (abort.signal.aborted) return; // replaced on purpose
    if (this.next === abort) this.next = null;
    else if (this.current === abort) this.current = null;
    else return;
    if (!this.next && !this.again) this.failed();
  }

  private failed(): void {
    const delay = backoff_ms(this.attempt++, Math.random());
    this.say({ state: this.attempt > 2 ? "offline" : "waiting", retry_at: Date.now() + delay });
    this.restart(delay);
  }

  private heard(event: StreamEvent, from: AbortController, topics: string[], after: number): void {
    this.alive();
    if (event.name === "hello") return this.opened(event, from, topics, after);
    if (event.name === "reset") return this.was_reset(event, topics);
    if (event.seq > this.last_seq) this.last_seq = event.seq;
    if (event.name === "log") this.logs.set(`log:${event.data.log}`, event);
    else {
      this.kept.push({ at: this.now(), topics, event });
      this.forget();
    }
    this.status = { ...this.status, last_event: Date.now(), delay_ms: event.data.now ? Date.now() - event.data.now : null };
    for (const port of this.ports.values()) port.send({ kind: "events", topics, events: [event] });
  }

  private opened(event: StreamEvent, from: AbortController, topics: string[], after: number): void {
    if (this.next === from) {
      this.current?.abort();
      this.current = from;
      this.next = null;
    }
    this.attempt = 0;
    const begin = after < 0 ? event.seq : after;
    if (after < 0) this.last_seq = this.kept_from = event.seq;
    const before = this.covered;
    this.covered = new Map(topics.map((topic) => [topic, before.get(topic) ?? begin]));
    for (const topic of this.logs.keys()) if (!this.covered.has(topic)) this.logs.delete(topic);
    this.tell_covered(false);
    this.say({ state: "live", retry_at: null, version: event.data.version ?? null });
  }

  /* The server cannot tell all since `after`: everything is to be read again. The counter may even be another one. */
  private was_reset(event: StreamEvent, topics: string[]): void {
    this.last_seq = this.kept_from = event.seq;
    this.kept = [];
    this.covered = new Map(topics.map((topic) => [topic, event.seq]));
    this.tell_covered(true);
  }

  private tell_covered(reset: boolean): void {
    for (const port of this.ports.values()) {
      const from = [...port.topics].flatMap((topic) => (this.covered.has(topic) ? [[topic, this.covered.get(topic)!] as [string, number]] : []));
      if (from.length) port.send({ kind: "covered", from, reset });
    }
  }

  private alive(): void {
    if (this.silence) clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      for (const abort of [this.current, this.next]) abort?.abort();
      this.current = this.next = null;
      this.failed();
    }, SILENCE_MS);
  }

  private say(change: Partial<LiveStatus>): void {
    const moved = change.state !== undefined && change.state !== this.status.state;
    this.status = { ...this.status, ...change, since: moved ? Date.now() : this.status.since };
    for (const port of this.ports.values()) port.send({ kind: "status", status: this.status });
  }
}
