// SPDX-License-Identifier: Apache-2.0
/* mapped - the instances of a mapped task: a map of all of them, and the table that says the same in words. */
import { useDeferredValue, useEffect, useRef, useState } from "react";
import { url_of } from "../lib/api.ts";
import { useFollow } from "../lib/live.ts";
import type { MappedPage, TaskPage } from "../lib/model.ts";
import { count } from "../lib/number.ts";
import { REFETCH } from "../lib/reduce.ts";
import type { TiChange } from "../lib/stream.ts";
import { go, Link, path_of, query_set, useQuery } from "../lib/router.tsx";
import { INSTANCES_AT_ONCE } from "../lib/urls.ts";
import { state_of_letter, TASK_STATES } from "../states.ts";
import { Empty, Loaded, Panel } from "./basics.tsx";
import { Span } from "./clock.tsx";
import { Glyph, StateWord } from "./state.tsx";
import "../styles/log.css";

function run_end(st: string, from: number, to: number): number {
  let end = from + 1;
  while (end < to && end < st.length && st[end] === st[from]) end++;
  return end;
}

function tally_of(st: string): Map<string, number> {
  const counts = new Uint32Array(128); // by the code of the letter: there may be a million
  for (let i = 0; i < st.length; i++) counts[st.charCodeAt(i)]++;
  return new Map(TASK_STATES.map((s) => [s.letter, counts[s.letter.charCodeAt(0)]] as [string, number]).filter(([, n]) => n > 0));
}

/* One square each, drawn from the letters into one canvas; the place of a click is arithmetic. */
function StateMap({ st, onPick }: { st: string; onPick: (index: number) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [hover, set_hover] = useState<number | null>(null);
  const cell = st.length > 20_000 ? 3 : st.length > 3000 ? 6 : 10;
  const columns = useRef(1);
  const [width, set_width] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(() => set_width(canvas.current?.parentElement?.clientWidth ?? 0));
    observer.observe(canvas.current!.parentElement!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const c = canvas.current!;
    if (!width) return;
    const ratio = devicePixelRatio || 1;
    columns.current = Math.max(1, Math.floor(width / cell));
    const rows = Math.ceil(st.length / columns.current);
    c.width = width * ratio;
    c.height = rows * cell * ratio;
    c.style.height = `${rows * cell}px`;
    const ctx = c.getContext("2d")!;
    ctx.scale(ratio, ratio);
    const dark = document.documentElement.dataset.theme === "dark";
    const gap = cell > 4 ? 1 : 0;
    for (let i = 0, end = 0; i < st.length; i = end) {
      const s = state_of_letter(st[i]);
      const column = i % columns.current;
      end = gap ? i + 1 : run_end(st, i, i - column + columns.current); // without gaps neighbours that are alike are one piece
      ctx.fillStyle = s[dark ? "dark" : "light"];
      ctx.globalAlpha = s.fill === "tint" ? 0.65 : s.fill === "thin" ? 0.18 : 1;
      // Failed ones are full squares, good ones smaller: not only the colour tells them apart.
      const inset = s.group === "good" && gap ? 2 : gap;
      ctx.fillRect(column * cell + inset, Math.floor(i / columns.current) * cell + inset, (end - i) * cell - inset - gap, cell - inset - gap);
    }
  }, [st, width, cell]);
  const at = (event: React.MouseEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    const i = Math.floor((event.clientY - box.top) / cell) * columns.current + Math.floor((event.clientX - box.left) / cell);
    return i >= 0 && i < st.length ? i : null;
  };
  return (
    <div className="map">
      <canvas ref={canvas} aria-hidden="true" onMouseMove={(e) => set_hover(at(e))} onMouseLeave={() => set_hover(null)} onClick={(e) => { const i = at(e); if (i !== null) onPick(i); }} title={hover === null ? "" : `[${hover}] ${state_of_letter(st[hover]).word}`} />
    </div>
  );
}

export default function MappedMap({ page }: { page: TaskPage }) {
  const state = useQuery("state");
  const [text, set_text] = useState(useQuery("q"));
  const q = useDeferredValue(text);
  const [from, set_from] = useState(0);
  const url = url_of.mapped(page.dag_id, page.run_id, page.task_id, from, state, q);
  const data = useFollow<MappedPage>(url, [`run:${encodeURIComponent(page.dag_id)}/${encodeURIComponent(page.run_id)}`], (d, event) => (event.name === "ti" && (event.data.c as TiChange[]).some((c) => c[2] === page.task_id && c[1] === page.run_id) ? REFETCH : d));
  // While the next answer is under way the last one stays, and with it the field that is typed into.
  const last = useRef<MappedPage | null>(null);
  if (data.data) last.current = data.data;
  return (
    <Loaded from={{ ...data, data: last.current }} rows={8}>
      {(m) => {
        if (!m.total) return <Panel><Empty title="It has not been expanded yet.">How many instances there are is known when what it maps over is there.</Empty></Panel>;
        const tally = tally_of(m.st);
        return (
          <>
            <Panel title={`${count(m.total)} instances`}><StateMap st={m.st} onPick={(i) => go(path_of.task(page.dag_id, page.run_id, page.task_id, i))} /></Panel>
            <div className="toolbar">
              <input type="search" className="input" placeholder="Name or error" aria-label="Filter instances" value={text} onChange={(e) => { set_text(e.target.value); set_from(0); }} />
              <button className="chip" aria-pressed={!state} onClick={() => { query_set({ state: null }); set_from(0); }}>All</button>
              {TASK_STATES.filter((s) => tally.has(s.letter)).map((s) => <button key={s.name} className="chip" aria-pressed={state === s.name} onClick={() => { query_set({ state: s.name }); set_from(0); }}><Glyph state={s.name} />{s.word} {count(tally.get(s.letter)!)}</button>)}
              {m.errors.map(([error, n]) => <button key={error} className="chip bad-text clip error-chip" title={error} aria-pressed={text === error} onClick={() => { set_text(text === error ? "" : error); set_from(0); }}>{error} <span className="num">×{count(n)}</span></button>)}
            </div>
            <Panel flush>
              {m.rows.length === 0 ? <Empty title="No instance fits this filter." /> : (
                <div className="scroll-x" tabIndex={0} role="group" aria-label="Table"><table className="table">
                  <thead><tr><th className="right">Index</th><th>Name</th><th>State</th><th className="right">Try</th><th className="right">Ran</th><th className="phone-off">Worker</th><th className="phone-off">Error</th></tr></thead>
                  <tbody>{m.rows.map((r) => (
                    <tr key={r.map_index}><td className="right num">{r.map_index}</td><td><Link to={path_of.task(page.dag_id, page.run_id, page.task_id, r.map_index)}>{r.label ?? `${page.task_id}[${r.map_index}]`}</Link></td><td><StateWord state={r.state} /></td><td className="right num">{r.try}</td><td className="right"><Span start={r.start} end={r.end} /></td><td className="phone-off">{r.worker ?? "—"}</td><td className="phone-off bad-text mono clip try-error" title={r.error ?? ""}>{r.error}</td></tr>
                  ))}</tbody>
                </table></div>
              )}
            </Panel>
            <div className="row"><span className="muted num">{count(from + 1)} to {count(Math.min(from + INSTANCES_AT_ONCE, m.matches))} of {count(m.matches)}</span><span className="grow" /><button className="button small" disabled={from === 0} onClick={() => set_from(Math.max(0, from - INSTANCES_AT_ONCE))}>Before</button><button className="button small" disabled={from + INSTANCES_AT_ONCE >= m.matches} onClick={() => set_from(from + INSTANCES_AT_ONCE)}>Next</button></div>
          </>
        );
      }}
    </Loaded>
  );
}
