// SPDX-License-Identifier: Apache-2.0
import type { MouseEvent } from "react";
import { RUN_LETTERS, state_of, state_of_letter, type State } from "../states.ts";
import { duration } from "../lib/time.ts";
import { go, Link, path_of } from "../lib/router.tsx";
import type { RunBars } from "../lib/model.ts";
import { server_now } from "../lib/api.ts";

function resolve(state: string | null | undefined, letter?: string): State {
  return letter !== undefined ? state_of_letter(letter) : state_of(state);
}

/* The square alone: needs words beside it, or a label of its own. */
export function Glyph({ state, letter, big, label }: { state?: string | null; letter?: string; big?: boolean; label?: boolean }) {
  const s = resolve(state, letter);
  const named = label ? { role: "img", "aria-label": s.word, title: s.word } : { "aria-hidden": true };
  return <span className={`glyph st-${s.name}${big ? " big" : ""}`} {...named} />;
}

export function StateWord({ state, letter, big }: { state?: string | null; letter?: string; big?: boolean }) {
  const s = resolve(state, letter);
  return (
    <span className={`state st-${s.name}`} title={`API: ${s.name}`}>
      <Glyph state={s.name} big={big} />
      <span className="word">{s.word}</span>
    </span>
  );
}

/* The word alone, where the glyph stands in the title already. */
export function StateText({ state }: { state: string }) {
  const s = state_of(state);
  return <span className={`state st-${s.name}`}><span className="word">{s.word}</span></span>;
}

/* Recent runs as bars, oldest left: height is duration, colour and shape are the state. One link to the grid, where each
 * run is a target of full size; a pointer that hits a bar goes to its run. */
export function RunBarsView({ dag, runs, max = 14 }: { dag: string; runs: RunBars; max?: number }) {
  const n = Math.min(max, runs.id.length);
  const now = server_now();
  const spans = Array.from({ length: n }, (_, i) => (runs.start[i] === null ? 0 : (runs.end[i] ?? now) - runs.start[i]!));
  const longest = Math.max(1, ...spans);
  const failed = [...runs.state.slice(0, n)].filter((s) => s === "f").length;
  const click = (event: MouseEvent) => {
    const run = (event.target as HTMLElement).closest<HTMLElement>("[data-run]")?.dataset.run;
    if (!run || event.metaKey || event.ctrlKey || event.detail === 0) return;
    event.preventDefault();
    go(path_of.run(dag, run));
  };
  return (
    <Link to={path_of.dag(dag)} className="runbars" onClick={click} aria-label={`Last ${n} runs of ${dag}: ${failed} failed`}>
      {spans.map((span, i) => {
        const state = RUN_LETTERS[runs.state[i]] ?? "queued";
        return <span key={runs.key[i]} className="runbar" data-run={runs.id[i]} title={`${runs.id[i]}\n${state_of(state).word} · ${duration(span)}`}><i className={`st-${state}`} style={{ height: Math.round(5 + 17 * Math.sqrt(span / longest)) }} /></span>;
      }).reverse()}
    </Link>
  );
}

export function Meter({ parts, label }: { parts: { kind: string; share: number }[]; label: string }) {
  return (
    <span className="meter" role="img" aria-label={label} title={label}>
      {parts.map((p) => p.share > 0 && <i key={p.kind} className={p.kind} style={{ width: `${Math.min(100, p.share * 100)}%` }} />)}
    </span>
  );
}
