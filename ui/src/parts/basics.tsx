// SPDX-License-Identifier: Apache-2.0
/* basics - the small vocabulary that every page is written in. */
import { Component, useEffect, useId, useRef, useState, useSyncExternalStore, type KeyboardEvent, type ReactNode } from "react";
import { ApiError } from "../lib/api.ts";
import type { Following } from "../lib/live.ts";
import { Link } from "../lib/router.tsx";
import { When } from "./clock.tsx";

export function Icon({ d, size = 16 }: { d: string; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d={d} />
    </svg>
  );
}

export const ICON = {
  search: "M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10ZM11 11l3 3",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  moon: "M13.5 9.5A5.8 5.8 0 0 1 6.5 2.6a5.8 5.8 0 1 0 7 6.9Z",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  close: "M4 4l8 8M12 4l-8 8",
  home: "M2.5 7.5 8 3l5.5 4.5V13h-4V9.5h-3V13h-4Z",
  dags: "M3 3h4v4H3zM9 9h4v4H9zM5 7v4h4",
  runs: "M3 4h10M3 8h7M3 12h9",
  user: "M8 8a2.6 2.6 0 1 0 0-5.2A2.6 2.6 0 0 0 8 8ZM3 13.5c.6-2.4 2.6-3.6 5-3.6s4.4 1.2 5 3.6",
  play: "M5 3.5 12 8l-7 4.500Z",
  worker: "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.01M5 11h.01",
  caret: "M5 6.5 8 9.500l3-3",
};

/* --- data in its three moods ----------------------------------------------------------------------------------- */

export function ErrorBox({ error, retry, at }: { error: ApiError; retry?: () => void; at?: number | null }) {
  return (
    <div className="note bad" role="alert">
      <div className="pre">{error.message}</div>
      <div className="row wrap muted">
        {at ? <span>What you see is from <When at={at} time_only />.</span> : null}
        {retry && <button className="button small" onClick={retry}>Try again</button>}
        {error.request_id && <span className="mono">request {error.request_id}</span>}
      </div>
    </div>
  );
}

export function Skeleton({ rows = 6, height = 18 }: { rows?: number; height?: number }) {
  return (
    <div className="stack tight" aria-busy="true" aria-label="Loading">
      {Array.from({ length: rows }, (_, i) => <div key={i} className="skeleton" style={{ height, width: `${92 - ((i * 13) % 38)}%` }} />)}
    </div>
  );
}

/* Shows what is there; an error stands above old data and never takes its place. */
export function Loaded<T>({ from, children, rows }: { from: Following<T>; children: (data: T) => ReactNode; rows?: number }) {
  return (
    <>
      {from.error && <ErrorBox error={from.error} retry={from.refetch} at={from.at} />}
      {from.data ? children(from.data) : !from.error && <Skeleton rows={rows} />}
    </>
  );
}

const FIRST_ROWS = 30;

/* Whether the page has been painted since the first thing on it was there: what is heavy and comes below waits for that. */
export function usePainted(is_there: boolean): boolean {
  const [painted, set_painted] = useState(false);
  const waits = is_there && !painted;
  useEffect(() => {
    if (!waits) return;
    let timer = 0;
    const frame = requestAnimationFrame(() => { timer = window.setTimeout(() => set_painted(true)); });
    return () => { cancelAnimationFrame(frame); clearTimeout(timer); };
  }, [waits]);
  return painted;
}

/* The rows that fill a window, and then the others. */
export function useFirstRows<T>(rows: T[]): T[] {
  const is_long = rows.length > FIRST_ROWS;
  return usePainted(is_long) || !is_long ? rows : rows.slice(0, FIRST_ROWS);
}

/* `whole`: it is all there is on the page, whose heading its title is then. */
export function Empty({ title, children, whole }: { title: string; children?: ReactNode; whole?: boolean }) {
  const Title = whole ? "h1" : "strong";
  return <div className="empty"><Title>{title}</Title>{children}</div>;
}

export class Boundary extends Component<{ children: ReactNode; reset_key: string }, { error: Error | null }> {
  state: { error: Error | null } = { error: null };
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  componentDidUpdate(before: { reset_key: string }) {
    if (before.reset_key !== this.props.reset_key && this.state.error) this.setState({ error: null });
  }
  render() {
    if (!this.state.error) return this.props.children;
    return (
      <div className="note bad" role="alert">
        This part of the page failed: {this.state.error.message}{" "}
        <button className="button small" onClick={() => this.setState({ error: null })}>Show it again</button>
      </div>
    );
  }
}

export function Panel({ title, extra, children, flush }: { title?: ReactNode; extra?: ReactNode; children: ReactNode; flush?: boolean }) {
  const id = useId();
  return (
    <section className="panel" aria-labelledby={title ? id : undefined}>
      {title && <header><h2 id={id}>{title}</h2><span className="grow" />{extra}</header>}
      {flush ? children : <div className="body">{children}</div>}
    </section>
  );
}

export function Tabs({ tabs, current }: { tabs: { id: string; name: string; to: string; n?: number | null }[]; current: string }) {
  return (
    <nav className="tabs" aria-label="Views">
      {tabs.map((tab) => (
        <Link key={tab.id} to={tab.to} aria-current={tab.id === current ? "page" : undefined}>
          {tab.name}{tab.n !== undefined && tab.n !== null && <span className="n">{tab.n}</span>}
        </Link>
      ))}
    </nav>
  );
}

/* --- dialogs ---------------------------------------------------------------------------------------------------- */

export function Dialog({ title, onClose, children, footer, wide }: { title: ReactNode; onClose: () => void; children: ReactNode; footer?: ReactNode; wide?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current!;
    const back = document.activeElement as HTMLElement | null;
    if (!dialog.open) dialog.showModal();
    return () => {
      dialog.close();
      back?.focus?.();
    };
  }, []);
  return (
    <dialog ref={ref} className={`dialog${wide ? " wide" : ""}`} aria-labelledby={id} onCancel={(e) => { e.preventDefault(); onClose(); }} onMouseDown={(e) => e.target === ref.current && onClose()}>
      <header>
        <h2 id={id} className="grow">{title}</h2>
        <button className="button quiet icon" onClick={onClose} aria-label="Close"><Icon d={ICON.close} /></button>
      </header>
      <div className="body" tabIndex={-1}>{children}</div>
      {footer && <footer>{footer}</footer>}
    </dialog>
  );
}

/* A button that opens a list of actions; arrows move, Escape closes and gives the focus back. */
export function Menu({ label, className = "button icon", children, left, name }: { label: ReactNode; className?: string; children: ReactNode; left?: boolean; name: string }) {
  const [open, set_open] = useState(false);
  const root = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => !root.current?.contains(event.target as Node) && set_open(false);
    document.addEventListener("pointerdown", outside);
    root.current?.querySelector<HTMLElement>(".menu button:not(:disabled), .menu a, .menu input, .menu select")?.focus();
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const keys = (event: KeyboardEvent) => {
    if (!open) return;
    const items = [...root.current!.querySelectorAll<HTMLElement>(".menu button:not(:disabled), .menu a")];
    const at = items.indexOf(document.activeElement as HTMLElement);
    if (event.key === "Escape") {
      event.stopPropagation();
      set_open(false);
      root.current!.querySelector<HTMLElement>("button")?.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      items[(at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length]?.focus();
    }
  };
  return (
    <span className="menu-anchor" ref={root} onKeyDown={keys}>
      <button className={className} aria-label={name} aria-haspopup="true" aria-expanded={open} onClick={() => set_open(!open)}>{label}</button>
      {open && <div className={`menu${left ? " left" : ""}`} onClick={(e) => (e.target as HTMLElement).closest("button,a") && set_open(false)}>{children}</div>}
    </span>
  );
}

/* --- messages ---------------------------------------------------------------------------------------------------- */

interface Toast { id: number; text: string; bad: boolean; undo?: () => void }
let toasts: Toast[] = [];
let next_id = 1;
const toast_listeners = new Set<() => void>();

function toasts_set(next: Toast[]): void {
  toasts = next;
  for (const listener of toast_listeners) listener();
}

export function toast(text: string, options: { bad?: boolean; undo?: () => void } = {}): void {
  const id = next_id++;
  toasts_set([...toasts.slice(-4), { id, text, bad: !!options.bad, undo: options.undo }]);
  // What carries an error stays until it is dismissed.
  if (!options.bad) setTimeout(() => toasts_set(toasts.filter((t) => t.id !== id)), options.undo ? 10_000 : 6000);
}

export function toast_error(error: unknown): void {
  const e = error as ApiError;
  toast(e.request_id ? `${e.message} (request ${e.request_id})` : e.message ?? String(error), { bad: true });
}

export function Toasts() {
  const list = useSyncExternalStore((l) => (toast_listeners.add(l), () => toast_listeners.delete(l)), () => toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {list.map((t) => (
        <div key={t.id} className={`toast${t.bad ? " bad" : ""}`}>
          <div className="grow pre">{t.text}</div>
          {t.undo && <button className="button small" onClick={() => { t.undo!(); toasts_set(toasts.filter((x) => x.id !== t.id)); }}>Undo</button>}
          <button className="button quiet small icon" aria-label="Dismiss" onClick={() => toasts_set(toasts.filter((x) => x.id !== t.id))}><Icon d={ICON.close} size={12} /></button>
        </div>
      ))}
    </div>
  );
}

/* --- keys ---------------------------------------------------------------------------------------------------------- */

interface Binding { key: string; what: string; run: () => void }
const bindings: Binding[][] = [];

/* Single keys of the page shown, the newest page first; typing in a field is never taken for a command. */
export function useKeys(list: Binding[]): void {
  const current = useRef(list);
  current.current = list;
  useEffect(() => {
    const mine = list.map((b, i) => ({ key: b.key, what: b.what, run: () => current.current[i]?.run() }));
    bindings.push(mine);
    return () => void bindings.splice(bindings.indexOf(mine), 1);
  }, []); // the keys of a component do not change
}

export function keys_now(): Binding[] {
  const seen = new Set<string>();
  return [...bindings].reverse().flat().filter((b) => !seen.has(b.key) && seen.add(b.key));
}

let prefix = "";

export function keys_handle(event: globalThis.KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.metaKey || event.ctrlKey || event.altKey || event.isComposing) return;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable || document.querySelector("dialog[open]")) return;
  const key = prefix + event.key;
  prefix = "";
  const all = keys_now();
  const hit = all.find((b) => b.key === key);
  if (hit) {
    event.preventDefault();
    hit.run();
  } else if (all.some((b) => b.key.startsWith(event.key + " ")) && key === event.key) {
    prefix = event.key + " ";
    setTimeout(() => (prefix = ""), 900);
  }
}

export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied.`);
  } catch {
    toast(`The browser did not allow to copy ${what}.`, { bad: true });
  }
}
