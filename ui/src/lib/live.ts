// SPDX-License-Identifier: Apache-2.0
/* live - this tab's end of the stream, and snapshots that follow it. */
import { useEffect, useMemo, useReducer, useRef, useSyncExternalStore } from "react";
import hub_url from "./hub.worker.ts?sharedworker&url";
import { api_come, api_get, ApiError, server_clock } from "./api.ts";
import { early_answered } from "./asked.ts";
import { Hub, type FromHub, type LiveStatus, type ToHub } from "./hub.ts";
import type { Snapshot } from "./model.ts";
import { REFETCH, type Reduced } from "./reduce.ts";
import { Gate, type StreamEvent } from "./stream.ts";
import { script_url } from "./trusted.ts";

export interface Listener {
  event(event: StreamEvent): unknown;
  covered?(seq: number, reset: boolean): void; // all after seq has been heard; reset: what was heard before counts no more
  position?(): number | undefined; // of its snapshot, when it has one
}

const ANSWERED_MS = 1000, CONNECT_MS = 150; // how long the page's first answers are waited for, and its first drawing after them

const watchers = new Map<symbol, { topics: string[]; listener: Listener }>();
const status_listeners = new Set<() => void>();
let status: LiveStatus = { state: "idle", since: Date.now(), retry_at: null, last_event: null, delay_ms: null, version: null };
let hub: ((message: ToHub) => void) | null = null; // once it is there
let is_starting = false, wants_retry = false;

function received(message: FromHub): void {
  if (message.kind === "status") {
    status = message.status;
    for (const listener of status_listeners) listener();
    return;
  }
  if (message.kind === "covered") {
    const from = new Map(message.from);
    for (const { topics, listener } of [...watchers.values()]) {
      const seqs = topics.map((topic) => from.get(topic));
      if (seqs.every((seq) => seq !== undefined)) listener.covered?.(Math.max(...(seqs as number[])), message.reset);
    }
    return;
  }
  for (const event of message.events) {
    if (!message.kept && event.data.now) server_clock(event.data.now);
    for (const { topics, listener } of [...watchers.values()])
      if (topics.every((topic) => message.topics.includes(topic))) listener.event(event);
  }
}

function connect(): (message: ToHub) => void {
  try {
    const worker = new SharedWorker(script_url(hub_url), { type: "module", name: "headrace" });
    worker.port.onmessage = (message: MessageEvent<FromHub>) => received(message.data);
    return (message) => worker.port.postMessage(message);
  } catch {
    const own = new Hub("/api/headrace/v1/stream");
    own.join(1, received);
    return (message) => own.receive(1, message);
  }
}

function join(): void {
  hub = connect();
  tell();
}

/* A shared worker is a process of its own, which would start while the page is drawn for the first time: a moment later. It is told
 * then what is watched, and asks for what happened since the snapshots that are there. */
function start(): void {
  if (is_starting) return;
  is_starting = true;
  received({ kind: "status", status: { ...status, state: "connecting", since: Date.now() } });
  void Promise.race([early_answered, new Promise((done) => setTimeout(done, ANSWERED_MS))]).then(() => setTimeout(() => {
    join();
    if (wants_retry) live_retry();
  }, CONNECT_MS));
  addEventListener("pagehide", () => hub?.({ kind: "bye" }));
  addEventListener("online", () => status.state !== "live" && hub?.({ kind: "retry" }));
  addEventListener("pageshow", (event) => { if ((event as PageTransitionEvent).persisted && hub) join(); }); // it said bye when it was put away
  document.addEventListener("visibilitychange", () => !document.hidden && status.state !== "live" && hub?.({ kind: "retry" }));
}

export function live_watch(topics: string[], listener: Listener): () => void {
  const id = Symbol();
  watchers.set(id, { topics, listener });
  tell();
  return () => {
    watchers.delete(id);
    tell();
  };
}

function tell(): void {
  start();
  const all = [...watchers.values()];
  const positions = all.map((w) => w.listener.position?.()).filter((seq) => seq !== undefined);
  hub?.({ kind: "topics", topics: [...new Set(all.flatMap((w) => w.topics))], ...(positions.length ? { from: Math.min(...positions) } : {}) });
}

export function live_retry(): void {
  start();
  wants_retry = true;
  hub?.({ kind: "retry" });
}

export function useLiveStatus(): LiveStatus {
  return useSyncExternalStore((l) => (status_listeners.add(l), () => status_listeners.delete(l)), () => status);
}

/* --- snapshots ------------------------------------------------------------------------------------------------- */

export interface Following<T> { data: T | null; error: ApiError | null; at: number | null; busy: boolean; refetch: () => void }

const MIN_REFETCH_MS = 800;
const kept = new Map<string, { data: unknown; at: number }>(); // what was seen last of a page: shown at once on return
const KEPT_MAX = 40;

const open_followers = new Set<{ error: ApiError | null; fetch(): Promise<void> }>();

/* After the session was renewed: what could not be read is read. */
export function snapshots_retry(): void {
  for (const follower of open_followers) if (follower.error) void follower.fetch();
  live_retry();
}

class Follower<T extends Snapshot> {
  data: T | null = null;
  error: ApiError | null = null;
  at: number | null = null;
  busy = false;
  private gate = new Gate();
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private frame = 0;
  private asked_at = 0;
  private dirty = false;
  private closed = false;
  private has_come = false; // before it was asked for

  constructor(private readonly url: string, private readonly reduce: (data: T, event: StreamEvent, gate: Gate) => Reduced<T>, private readonly changed: () => void) {
    const old = kept.get(url);
    const come = api_come<T>(url);
    if (come) {
      this.has_come = true;
      this.take(come);
    } else if (old) {
      this.data = old.data as T;
      this.at = old.at;
    }
  }

  position(): number | undefined {
    return this.data?.seq;
  }

  covered(seq: number, reset: boolean): void {
    if (reset) this.gate = new Gate();
    if (this.gate.covered(seq) || reset) this.soon();
  }

  event(event: StreamEvent): void {
    if (event.name === "log") return;
    // Nothing to change yet, and what failed may pass: the system gives a sign of life.
    if (!this.data && this.error && !this.busy) return this.error.status === 0 || this.error.status >= 500 ? this.soon() : undefined;
    if (this.busy) this.gate.keep(event);
    const admitted = this.gate.event(event);
    if (admitted) this.apply(admitted);
  }

  private apply(event: StreamEvent): void {
    if (!this.data) return;
    const next = this.reduce(this.data, event, this.gate);
    if (next === REFETCH) return this.soon();
    if (next === this.data) return;
    this.data = next;
    this.paint();
  }

  private paint(): void {
    if (this.frame || this.closed) return;
    // One drawing per frame however many events come; a hidden tab draws when it is shown.
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (!this.closed) this.changed();
    });
  }

  soon(): void {
    if (this.busy) {
      this.dirty = true;
      return;
    }
    if (this.timer || this.closed) return;
    const wait = Math.max(0, this.asked_at + MIN_REFETCH_MS - Date.now());
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.fetch();
    }, wait);
  }

  private take(data: T): void {
    this.data = data;
    this.error = null;
    this.at = Date.now();
    this.busy = false;
    remember(this.url, data);
    for (const event of this.gate.snapshot(data.seq ?? 0)) this.apply(event);
  }

  /* Nothing is asked when it has come already. */
  begin(): void {
    if (this.has_come) this.has_come = false;
    else void this.fetch();
  }

  async fetch(): Promise<void> {
    if (this.closed) return;
    this.abort?.abort();
    const abort = (this.abort = new AbortController());
    this.busy = true;
    this.asked_at = Date.now();
    try {
      const data = await api_get<T>(this.url, abort.signal);
      if (abort.signal.aborted) return;
      this.take(data);
      if (data.seq !== undefined && this.gate.too_old(data.seq)) this.soon();
    } catch (error) {
      if (abort.signal.aborted) return;
      this.busy = false;
      this.error = error instanceof ApiError ? error : new ApiError(0, String(error), "", "");
    }
    if (this.dirty) {
      this.dirty = false;
      this.soon();
    }
    if (!this.closed) this.changed();
  }

  close(): void {
    this.closed = true;
    this.abort?.abort();
    if (this.timer) clearTimeout(this.timer);
    if (this.frame) cancelAnimationFrame(this.frame);
    if (this.data) remember(this.url, this.data);
  }
}

function remember(url: string, data: unknown): void {
  kept.delete(url);
  kept.set(url, { data, at: Date.now() });
  if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value as string);
}

export function snapshots_forget(): void {
  kept.clear();
}

/* Reads `url` and follows `topics`; null url: nothing yet. */
export function useFollow<T extends Snapshot>(url: string | null, topics: string[], reduce: (data: T, event: StreamEvent, gate: Gate) => Reduced<T>): Following<T> {
  const [, draw] = useReducer((n: number) => n + 1, 0);
  const topic_text = topics.join(",");
  const latest = useRef(reduce);
  latest.current = reduce;
  const follower = useMemo(() => (url === null ? null : new Follower<T>(url, (data, event, gate) => latest.current(data, event, gate), draw)), [url]);
  // Watching begins before asking, so that nothing falls between.
  useEffect(() => {
    if (!follower || !topic_text) return;
    return live_watch(topic_text.split(","), follower);
  }, [follower, topic_text]);
  useEffect(() => {
    if (!follower) return;
    open_followers.add(follower);
    follower.begin();
    return () => {
      open_followers.delete(follower);
      follower.close();
    };
  }, [follower]);
  return { data: follower?.data ?? null, error: follower?.error ?? null, at: follower?.at ?? null, busy: follower?.busy ?? false, refetch: () => follower?.soon() };
}

const never = <T,>(data: T): T => data;

/* Reads `url` once, and again when it changes. */
export function useFetch<T extends object>(url: string | null): Following<T & Snapshot> {
  return useFollow<T & Snapshot>(url, [], never);
}
