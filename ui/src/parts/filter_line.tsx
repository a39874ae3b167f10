// SPDX-License-Identifier: Apache-2.0
/* filter_line - the filter of a list as one line of text: it says what the chips say, and they follow what is typed. What
 * cannot be understood changes nothing, and is told of below. */
import { useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import { api_get, V1 } from "../lib/api.ts";
import { keys_of, type Kind } from "../lib/filter_keys.ts";
import { filter_completions, filter_read, filter_write, type Completion, type Completions, type Query } from "../lib/filter_text.ts";
import "../styles/lists.css";

interface Found { kind: string; id: string }

const OFFERED_MAX = 12;

/* Names that the server knows, of what is being typed. */
function useNames({ kind_found, typed }: Pick<Completions, "kind_found" | "typed">): Completion[] {
  const [names, set_names] = useState<Completion[]>([]);
  useEffect(() => {
    set_names([]);
    if (!kind_found || !typed) return;
    const abort = new AbortController();
    const timer = setTimeout(() => void api_get<{ items: Found[] }>(`${V1}/ui/search?q=${encodeURIComponent(typed)}`, abort.signal)
      .then((d) => set_names(d.items.filter((i) => i.kind === kind_found && i.id !== typed).map((i) => ({ text: i.id, hint: i.kind })))).catch(() => undefined), 90);
    return () => { clearTimeout(timer); abort.abort(); };
  }, [kind_found, typed]);
  return names;
}

/* The text that was typed, for as long as the address says the same. */
function useLine(kind: Kind, query: Query, set_query: (query: Query) => void): [string, (text: string) => void] {
  const now = filter_write(kind, query);
  const [typed, set_typed] = useState({ text: now, said: now });
  const change = (text: string) => {
    const read = filter_read(kind, text);
    const is_good = read.problems.length === 0;
    set_typed({ text, said: is_good ? filter_write(kind, read.query) : now });
    if (is_good) set_query(read.query);
  };
  return [typed.said === now ? typed.text : now, change];
}

export function FilterLine({ kind, query, set_query }: { kind: Kind; query: Query; set_query: (query: Query) => void }) {
  const [text, set_text] = useLine(kind, query, set_query);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const [caret, set_caret] = useState<number | null>(null); // null: nothing is offered
  const [at, set_at] = useState(-1);
  const next_caret = useRef<number | null>(null);
  const completions = filter_completions(kind, text, Math.min(caret ?? text.length, text.length));
  const names = useNames(caret === null ? { kind_found: null, typed: "" } : completions);
  const choices = caret === null ? [] : [...completions.choices, ...names].slice(0, OFFERED_MAX);
  const problems = filter_read(kind, text).problems.filter((p) => caret === null || choices.length === 0 || caret < p.from || caret > p.to); // not of what is being written
  useEffect(() => {
    if (next_caret.current === null) return;
    input.current?.setSelectionRange(next_caret.current, next_caret.current);
    next_caret.current = null;
  });
  const look = (element: HTMLInputElement) => { set_caret(element.selectionStart ?? element.value.length); set_at(-1); };
  const take = (choice: Completion) => {
    const is_key = choice.text.endsWith(":");
    const written = (/[\s",]/.test(choice.text) ? `"${choice.text.replace(/[\\"]/g, "\\$&")}"` : choice.text) + (is_key ? "" : " ");
    next_caret.current = completions.from + written.length;
    set_text(text.slice(0, completions.from) + written + text.slice(completions.to).replace(/^ /, ""));
    set_caret(next_caret.current);
    set_at(-1);
    input.current?.focus();
  };
  const down = (event: KeyboardEvent) => {
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && choices.length) {
      event.preventDefault();
      const by = event.key === "ArrowDown" ? 1 : -1;
      set_at(at < 0 ? (by > 0 ? 0 : choices.length - 1) : (at + by + choices.length) % choices.length);
    } else if (event.key === "Enter" && choices[at]) {
      event.preventDefault();
      take(choices[at]);
    } else if (event.key === "Enter" || (event.key === "Escape" && choices.length)) {
      event.preventDefault();
      set_caret(null);
    } else if (event.key === "ArrowDown") look(input.current!);
  };
  return (
    <div className="filter-line" onBlur={(e) => { if (!e.currentTarget.contains(e.relatedTarget)) set_caret(null); }}>
      <input ref={input} type="text" className="input mono" role="combobox" aria-label="Filter" aria-autocomplete="list" aria-expanded={choices.length > 0} aria-controls={choices.length ? `${id}l` : undefined} aria-activedescendant={choices[at] ? `${id}o${at}` : undefined}
        aria-invalid={problems.length > 0} aria-describedby={problems.length ? `${id}p` : undefined} autoComplete="off" autoCapitalize="off" spellCheck={false} placeholder={`Part of an id, or ${keys_of(kind).map((k) => `${k.key}:`).join(" ")}`}
        value={text} onChange={(e) => { set_text(e.target.value); look(e.target); }} onKeyDown={down} onKeyUp={(e) => { if (/^(Arrow(Left|Right)|Home|End)$/.test(e.key) && caret !== null) look(e.currentTarget); }} onClick={(e) => look(e.currentTarget)} />
      {choices.length > 0 && <ul id={`${id}l`} role="listbox" aria-label="What may stand here">
        {choices.map((c, i) => <li key={c.text} id={`${id}o${i}`} role="option" aria-selected={i === at} onMouseMove={() => set_at(i)} onMouseDown={(e) => { e.preventDefault(); take(c); }}><span className="mono">{c.text}</span><span className="muted">{c.hint}</span></li>)}
      </ul>}
      {problems.length > 0 && <div id={`${id}p`} className="filter-problems bad-text" role="status">{problems.map((p) => <div key={p.from}><span className="mono">{text.slice(p.from, p.to)}</span>: {p.text}</div>)}</div>}
    </div>
  );
}
