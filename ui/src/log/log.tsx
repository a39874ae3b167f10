// SPDX-License-Identifier: Apache-2.0
/* log - a viewer of one attempt's output: any length, followed while it grows, found in, linked to by line. */
import { useCallback, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState, type KeyboardEvent } from "react";
import { bytes, count } from "../lib/number.ts";
import { pref_get, usePref } from "../lib/prefs.ts";
import { clock } from "../lib/time.ts";
import { copy, Empty, Icon, toast, useKeys } from "../parts/basics.tsx";
import { useZone } from "../parts/clock.tsx";
import { api_raw, type ApiError } from "../lib/api.ts";
import { query_set, useQuery } from "../lib/router.tsx";
import { LINE_MAX, line_of, plain_of, spans_of } from "./ansi.ts";
import { useLogSource } from "./follow.ts";
import { height_of, is_scaled, LINE_H, lines_of_hash, scroll_of, top_line } from "./scroll.ts";
import { LevelReader, LEVELS, row_of_line, ROWS_MAX } from "./levels.ts";
import { LineText } from "./text.tsx";
import "../styles/log.css";

interface Props { url: string; runs: boolean; attempt: string; empty: React.ReactNode }
interface Found { lines: number[]; at: number; more: boolean }

const COPY_MAX = 5_000_000;

function Line({ n, raw, mark, find, zone, time, wrap, onPick }: { n: number; raw: string | undefined; mark: boolean; find: string; zone: string; time: boolean; wrap: boolean; onPick: (n: number, extend: boolean) => void }) {
  const [whole, set_whole] = useState(false);
  const line = useMemo(() => (raw === undefined ? null : line_of(raw)), [raw]);
  const shown = line && !whole && line.text.length > LINE_MAX ? line.text.slice(0, LINE_MAX) : line?.text;
  const spans = useMemo(() => (shown === undefined ? [] : spans_of(shown)), [shown]);
  return (
    <div className={`log-line${mark ? " marked" : ""}${line ? ` s-${line.stream}` : ""}${wrap ? " wrap" : ""}`}>
      <a className="log-n" href={`#L${n + 1}`} tabIndex={-1} onClick={(e) => { e.preventDefault(); onPick(n, e.shiftKey); }}>{n + 1}</a>
      {time && <span className="log-t">{line?.at ? clock(line.at, zone, true) : ""}</span>}
      <span className="log-text">
        {line === null ? <span className="faint">…</span> : <LineText spans={spans} find={find} />}
        {line && shown!.length < line.text.length && <button className="button small" onClick={() => set_whole(true)}>show {bytes(line.text.length)}</button>}
        {"\n"}
      </span>
    </div>
  );
}

/* Counted always, and read when some are chosen. */
function useLevels(url: string, wanted: string, total: number): LevelReader {
  const [, draw] = useReducer((n: number) => n + 1, 0);
  const reader = useMemo(() => new LevelReader(url, wanted, draw), [url, wanted]);
  useEffect(() => () => reader.close(), [reader]);
  useEffect(() => void reader.read(total), [reader, total]);
  return reader;
}

function LevelChips({ counts, chosen, toggle }: { counts: Record<string, number>; chosen: string[]; toggle: (level: string) => void }) {
  const there = LEVELS.filter(([level]) => counts[level] || chosen.includes(level));
  // All lines of one kind: there is nothing to choose.
  if (there.length < 2 && !chosen.length) return null;
  return (
    <div className="row tight wrap log-levels" role="group" aria-label="Levels">
      {there.map(([level, word]) => <button key={level} className={`chip l-${level}`} aria-pressed={chosen.includes(level)} onClick={() => toggle(level)}>{word} <span className="num">{count(counts[level] ?? 0)}</span></button>)}
    </div>
  );
}

export default function Log({ url, runs, attempt, empty }: Props) {
  const source = useLogSource(url, runs, attempt);
  const { opened } = source;
  const box = useRef<HTMLDivElement>(null);
  const find_input = useRef<HTMLInputElement>(null);
  const zone = useZone();
  const [wrap, set_wrap] = usePref("log.wrap", false);
  const [time, set_time] = usePref("log.time", true);
  const [top, set_top] = useState(0);
  const [view, set_view] = useState(600);
  const [follow, set_follow] = useState(() => !lines_of_hash(location.hash));
  const [marked, set_marked] = useState<[number, number] | null>(() => lines_of_hash(location.hash));
  const [query, set_query] = useState("");
  const [found, set_found] = useState<Found | null>(null);
  const expected = useRef(-1); // the scroll position we set ourselves
  const searching = useRef<symbol | null>(null); // the newest search
  const place = useRef<number | null>(null); // the line to be at when other rows are shown
  const level = useQuery("level");
  const chosen = level.split(",").filter(Boolean);
  const all_levels = useLevels(url, "", opened ? source.total : 0);
  const filtered = useLevels(url, level, opened && level ? source.total : 0);
  const rows = level ? filtered.rows : null; // null: all lines
  const total = rows ? rows.length : source.total;
  const line_at = (row: number) => (rows ? rows[row]?.[0] ?? 0 : row);
  const row_at = (line: number) => (rows ? row_of_line(rows, line) : line);

  const forget_found = () => {
    searching.current = null;
    set_found(null);
  };
  useEffect(() => {
    forget_found();
    return () => { searching.current = null; };
  }, [source]);

  const fit = Math.max(1, Math.floor(view / LINE_H));
  const to_row = useCallback((row: number) => {
    const next = Math.max(0, Math.min(row, Math.max(0, total - fit)));
    set_top(next);
    const element = box.current;
    if (!element) return;
    element.scrollTop = Math.round(scroll_of(next, element.clientHeight, total));
    expected.current = element.scrollTop; // as far as the browser went
  }, [total, fit]);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    // It reaches to the bottom of the window, wherever what stands above it lets it begin.
    const measure = () => {
      element.style.setProperty("--log-top", `${Math.round(element.getBoundingClientRect().top + scrollY)}px`);
      set_view(element.clientHeight);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, [opened]);
  // At the end of what grows, or at the line that the link names.
  useLayoutEffect(() => {
    if (!opened) return;
    if (follow) to_row(total);
  }, [opened, follow, total, fit]);
  // Other rows, the same place: as soon as the rows reach to it.
  useLayoutEffect(() => {
    if (place.current === null || (rows && !filtered.is_full && filtered.searched <= place.current && filtered.searched < source.total)) return;
    to_row(row_at(place.current) - Math.floor(fit / 3));
    place.current = null;
  }, [level, total, filtered.searched]);
  useEffect(() => {
    const hash = lines_of_hash(location.hash);
    if (opened && hash) { if (rows) place.current = hash[0]; else to_row(hash[0] - 4); }
  }, [opened]);
  useEffect(() => { if (!rows) source.want(top - 64, top + fit + 128); });

  const scrolled = () => {
    const element = box.current!;
    if (element.clientHeight !== view) return; // moved by its new height, not by a hand: it is measured first
    if (Math.abs(element.scrollTop - expected.current) < 2) return;
    expected.current = -1;
    const next = top_line(element.scrollTop, element.clientHeight, total);
    set_top(next);
    set_follow(next + fit >= total && !source.complete);
  };
  const wheel = (event: React.WheelEvent) => {
    // A scaled bar would leap hundreds of lines a notch: here the lines move, and the bar follows.
    if (!is_scaled(total) || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    set_follow(false);
    to_row(top + Math.round((event.deltaMode === 1 ? event.deltaY * 3 : event.deltaY / LINE_H)));
  };
  /* The first line is gone to as soon as it is found; those behind it are counted meanwhile. */
  const search = async (text: string) => {
    if (!text) return forget_found();
    const mine = (searching.current = Symbol());
    let jumped = false;
    try {
      await source.search(text, false, ({ lines, more }) => {
        if (searching.current !== mine) return false;
        set_found((before) => (lines.length || !more ? { lines: [...lines], at: before?.at ?? 0, more } : before));
        if (lines.length && !jumped) jump(lines[0]);
        jumped ||= lines.length > 0;
        return true;
      });
    } catch (error) {
      if (searching.current === mine) toast((error as ApiError).message, { bad: true });
    }
  };
  const jump = (line: number) => {
    set_follow(false);
    set_marked([line, line]);
    if (!rows || rows[row_at(line)]?.[0] === line) return to_row(row_at(line) - Math.floor(fit / 3));
    place.current = line; // it is not among the levels chosen: all are shown
    query_set({ level: null });
  };
  const toggle_level = (name: string) => {
    const next = chosen.includes(name) ? chosen.filter((c) => c !== name) : [...chosen, name];
    place.current = line_at(top + Math.floor(fit / 3));
    set_follow(false);
    query_set({ level: next.join(",") });
  };
  const step = (by: number) => {
    if (!found?.lines.length) return;
    const at = (found.at + by + found.lines.length) % found.lines.length;
    set_found({ ...found, at });
    jump(found.lines[at]);
  };
  const first_error = async () => {
    const mine = (searching.current = Symbol());
    const is_wanted = () => searching.current === mine;
    const errors = new LevelReader(url, "error", () => (errors.rows.length || !is_wanted()) && errors.close());
    await errors.read(source.total);
    const line = errors.rows[0]?.[0] ?? (await source.search("exit code", false, is_wanted).catch(() => ({ lines: [] as number[] }))).lines[0];
    if (!is_wanted()) return;
    if (line === undefined) toast("No line speaks of an error.");
    else jump(line);
  };
  const pick = (n: number, extend: boolean) => {
    const range: [number, number] = extend && marked ? [Math.min(marked[0], n), Math.max(marked[0], n)] : [n, n];
    set_marked(range);
    set_follow(false);
    history.replaceState(null, "", `${location.pathname}${location.search}#L${range[0] + 1}${range[1] > range[0] ? `-${range[1] + 1}` : ""}`);
  };
  const copy_lines = async (from: number, to: number) => {
    const response = await api_raw(from === 0 && to >= source.total - 1 ? `${url}/raw` : `${url}?from=${from}&lines=${Math.min(2000, to - from + 1)}`);
    const text = (await response.text()).split("\n").map((l) => plain_of(line_of(l).text)).join("\n");
    await copy(text, `${count(to - from + 1)} lines`);
  };
  const keys = (event: KeyboardEvent) => {
    const moves: Record<string, number> = { ArrowDown: top + 1, ArrowUp: top - 1, PageDown: top + fit - 2, PageUp: top - fit + 2, Home: 0, End: total };
    if ((event.ctrlKey || event.metaKey) && event.key === "f" && document.activeElement !== find_input.current) { event.preventDefault(); find_input.current?.focus(); return; }
    if ((event.ctrlKey || event.metaKey) && event.key === "a" && (event.target as HTMLElement).tagName !== "INPUT") {
      event.preventDefault();
      if (source.bytes > COPY_MAX) toast(`The log has ${bytes(source.bytes)}: download it instead.`);
      else void copy_lines(0, source.total - 1);
      return;
    }
    if (event.target !== box.current || !(event.key in moves) || event.ctrlKey) return;
    event.preventDefault();
    set_follow(event.key === "End" && !source.complete);
    to_row(moves[event.key]);
  };
  useKeys([
    { key: "f", what: "Follow the log", run: () => set_follow(!follow) },
    { key: "w", what: "Wrap long lines", run: () => set_wrap(!pref_get("log.wrap", false)) },
    { key: "n", what: "Next match", run: () => step(1) },
    { key: "N", what: "Match before", run: () => step(-1) },
    { key: "e", what: "First error", run: () => void first_error() },
  ]);

  if (opened && source.error && !source.total) return (source.error as ApiError).reason === "no_log" || (source.error as ApiError).status === 404 ? <div className="panel">{empty}</div> : <div className="panel"><Empty title={source.error.message} /></div>;
  const first = Math.min(top, Math.max(0, total - fit)); // fewer rows than before may be there
  const last = Math.min(total, first + fit + 2);
  const shown = Array.from({ length: last - first }, (_, i) => first + i);
  const behind = total - (top + fit);
  return (
    <section className="panel log" aria-label="Log" onKeyDown={keys}>
      <header className="log-bar">
        <input type="search" ref={find_input} className="input log-find" placeholder="Find in the whole log" aria-label="Find in the log" value={query} onChange={(e) => { set_query(e.target.value); forget_found(); }}
          onKeyDown={(e) => { if (e.key === "Enter") { e.preventDefault(); if (found && found.lines.length && query) step(e.shiftKey ? -1 : 1); else void search(query); } else if (e.key === "Escape") { set_query(""); forget_found(); box.current?.focus(); } }} />
        {found && <span className="muted num nowrap" role="status">{found.lines.length ? `${found.at + 1} of ${count(found.lines.length)}${found.more ? "+" : ""}` : "nothing found"}</span>}
        {found && found.lines.length > 1 && <><button className="button small icon" aria-label="Match before" onClick={() => step(-1)}>↑</button><button className="button small icon" aria-label="Next match" onClick={() => step(1)}>↓</button></>}
        <span className="grow" />
        {marked && marked[1] > marked[0] && <button className="button small" onClick={() => void copy_lines(...marked)}>Copy {marked[1] - marked[0] + 1} lines</button>}
        <span className="muted num nowrap phone-off">{count(source.total)} lines · {bytes(source.bytes)}</span>
        {!source.complete && opened && <button className="chip" aria-pressed={follow} onClick={() => set_follow(!follow)}><span className="live-dot" />Follow</button>}
        <button className="button small quiet" onClick={() => void first_error()}>First error</button>
        <button className="chip phone-off" aria-pressed={wrap} onClick={() => set_wrap(!wrap)}>Wrap</button>
        <button className="chip phone-off" aria-pressed={time} onClick={() => set_time(!time)}>Time</button>
        <a className="button small quiet" href={`${url}/raw`} download><Icon d="M8 2v8M5 7l3 3 3-3M3 13h10" size={13} />Raw</a>
        <LevelChips counts={all_levels.counts} chosen={chosen} toggle={toggle_level} />
        {filtered.is_full && level && <span className="muted">The first {count(ROWS_MAX)} are shown.</span>}
      </header>
      <div className="log-scroll" ref={box} tabIndex={0} role="region" aria-label="Log text" aria-live="off" onScroll={scrolled} onWheel={wheel}>
        <div style={{ height: Math.max(height_of(total), 1) }} className="log-space">
          <div className="log-window" style={{ transform: `translateY(${Math.round(is_scaled(total) ? (box.current?.scrollTop ?? 0) : first * LINE_H)}px)` }}>
            {shown.map(line_at).map((n, i) => <Line key={n} n={n} raw={rows ? rows[first + i][1] : source.line(n)} mark={!!marked && n >= marked[0] && n <= marked[1]} find={found ? query.toLowerCase() : ""} zone={zone} time={time} wrap={wrap} onPick={pick} />)}
          </div>
        </div>
      </div>
      {found && found.lines.length > 0 && !rows && total > fit && <div className="log-marks" aria-hidden="true">{sample(found.lines, 200).map((l) => <i key={l} style={{ top: `${(100 * l) / total}%` }} />)}</div>}
      {!follow && !source.complete && behind > 0 && opened && <button className="log-more" onClick={() => set_follow(true)}>↓ {count(behind)} new {behind === 1 ? "line" : "lines"}</button>}
    </section>
  );
}

function sample(list: number[], max: number): number[] {
  if (list.length <= max) return list;
  return Array.from({ length: max }, (_, i) => list[Math.floor((i * list.length) / max)]);
}
