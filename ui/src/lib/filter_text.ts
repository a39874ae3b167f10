// SPDX-License-Identifier: Apache-2.0
/* filter_text - a filter as one line of text, "state:failed,running dag:etl_* ended:-24h orders", and as the query of an
 * address; each says what the other says. Pure. */
import { keys_of, type Key, type Kind } from "./filter_keys.ts";

export type Query = Record<string, string>; // of the address: by parameter, none of them empty
export interface Problem { from: number; to: number; text: string } // where in the line, and what to do
export interface Read { query: Query; problems: Problem[] }

/* A piece between blanks: what stands in front of the colon, and the values behind it, without their quotes. */
interface Piece { from: number; to: number; key: string | null; negated: boolean; values: string[]; is_closed: boolean }

const KEY = /^([-!]?)([A-Za-z][A-Za-z_]*):/;

const OF_KEY = /^[^\s,]*/;
const OF_WORD = /^\S*/;

/* One value from `at` on. In quotes anything may stand; \ takes what follows as it is. */
function value_at(text: string, at: number, plain: RegExp): { value: string; end: number; is_closed: boolean } {
  if (text[at] !== '"') {
    const [value] = plain.exec(text.slice(at))!;
    return { value, end: at + value.length, is_closed: true };
  }
  let value = "";
  let i = at + 1;
  for (; i < text.length && text[i] !== '"'; i++) value += text[i] === "\\" && i + 1 < text.length ? text[++i] : text[i];
  return { value, end: Math.min(text.length, i + 1), is_closed: i < text.length };
}

function pieces_of(text: string): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < text.length;) {
    if (/\s/.test(text[at])) { at++; continue; }
    const [head, sign, key] = KEY.exec(text.slice(at)) ?? ["", "", null];
    const piece: Piece = { from: at, to: at, key: key ?? null, negated: sign !== "", values: [], is_closed: true };
    at += head.length;
    do {
      if (piece.values.length) at++; // the comma
      const { value, end, is_closed } = value_at(text, at, piece.key === null ? OF_WORD : OF_KEY);
      piece.values.push(value);
      piece.is_closed &&= is_closed;
      at = end;
    } while (piece.key !== null && text[at] === ",");
    pieces.push({ ...piece, to: at });
  }
  return pieces;
}

const found = (kind: Kind, word: string): Key | undefined => keys_of(kind).find((k) => k.key === word || k.param === word);
const OTHER: Record<Kind, Kind> = { runs: "tasks", tasks: "runs" };
const NOUN: Record<Kind, string> = { runs: "runs", tasks: "task instances" };

function unknown_key(kind: Kind, word: string): string {
  const elsewhere = found(OTHER[kind], word) ? `${word} is a key of ${NOUN[OTHER[kind]]}, not of ${NOUN[kind]}` : `There is no key ${word}`;
  return `${elsewhere}. There are ${keys_of(kind).map((k) => k.key).join(", ")}; what is meant as text stands in quotes.`;
}

/* What is wrong with a piece that has a key; null when nothing is. */
function problem_of(kind: Kind, piece: Piece, query: Query): string | null {
  const key = found(kind, piece.key!);
  if (!piece.is_closed) return "A quote is opened here and not closed.";
  if (!key) return unknown_key(kind, piece.key!);
  if (piece.negated) return `What is not wanted cannot be said: name what is, as in ${key.key}:${key.values(kind)[0] ?? "…"}.`;
  if (piece.values.some((v) => v === "")) return `${key.key}: needs a value${key.values(kind).length ? `, such as ${key.values(kind).slice(0, 3).join(", ")}` : `: ${key.help}`}.`;
  if (!key.is_list && (piece.values.length > 1 || query[key.param])) return `${key.key} can be given once.`;
  if (piece.values.some((v) => v.includes(","))) return "A comma separates values, in quotes too.";
  return piece.values.map((v) => key.problem(v, kind)).find((p) => p !== null) ?? null;
}

const span_of_minus = (value: string) => value.replace(/^-/, "");

/* What can be read is in `query`, also when there are problems with the rest. */
export function filter_read(kind: Kind, text: string): Read {
  const query: Query = {};
  const problems: Problem[] = [];
  const words: string[] = [];
  for (const piece of pieces_of(text)) {
    const problem = piece.key !== null ? problem_of(kind, piece, query) : piece.is_closed ? null : "A quote is opened here and not closed.";
    if (problem) problems.push({ from: piece.from, to: piece.to, text: problem });
    else if (piece.key === null) words.push(piece.values[0]);
    else {
      const key = found(kind, piece.key)!;
      const values = key.minus ? piece.values.map(span_of_minus) : piece.values;
      query[key.param] = [...new Set([...(query[key.param]?.split(",") ?? []), ...values])].join(",");
    }
  }
  const q = words.filter(Boolean).join(" ");
  return { query: q ? { ...query, q } : query, problems };
}

const quoted = (value: string) => `"${value.replace(/[\\"]/g, "\\$&")}"`;
const is_plain = (value: string) => /^[^\s",]+$/.test(value);
const is_plain_word = (word: string) => /^[^\s"]/.test(word) && !KEY.test(word);

/* Words as they are where they are read as they are, else all of them in quotes. */
function words_text(q: string): string {
  return q.split(" ").every((word) => is_plain_word(word) && !/\s/.test(word)) ? q : quoted(q);
}

/* What a query of the address holds that is no filter is left out. */
export function filter_write(kind: Kind, query: Query): string {
  const parts = keys_of(kind).flatMap((key) => {
    const values = (query[key.param] ?? "").split(",").filter(Boolean);
    const written = (value: string) => (key.minus && /^\d[^.]*$/.test(value) ? `-${value}` : is_plain(value) ? value : quoted(value));
    return values.length ? [`${key.key}:${values.map(written).join(",")}`] : [];
  });
  return [...parts, ...(query.q ? [words_text(query.q)] : [])].join(" ");
}

/* The filters of an address, without what else stands there. */
export function filter_of(kind: Kind, place: URLSearchParams): Query {
  return Object.fromEntries([...keys_of(kind).map((k) => k.param), "q"].map((param) => [param, place.get(param) ?? ""] as const).filter(([, value]) => value !== ""));
}

const RANGE_DEFAULT = "24h";

/* What the server is asked for. What it could not be asked for is left out: it is told of beside the line. */
export function filter_asked(kind: Kind, query: Query, now: number): URLSearchParams {
  const asked = new URLSearchParams(query.q ? { q: query.q } : {});
  for (const key of keys_of(kind)) {
    const value = query[key.param] ?? (key.param === "range" ? RANGE_DEFAULT : "");
    const values = key.is_list ? value.split(",").filter((v) => v && !key.problem(v, kind)) : key.problem(value, kind) ? [] : [value];
    if (values.length) for (const [name, wanted] of Object.entries(key.asked(values.join(","), now))) asked.set(name, wanted);
  }
  return asked;
}

/* ---- completion ---- */

export interface Completion { text: string; hint: string }
/* What may stand from `from` to `to` of the line instead; `kind_found`: names of that kind are to be looked for, by `typed`. */
export interface Completions { from: number; to: number; typed: string; kind_found: "dag" | "pool" | "worker" | null; choices: Completion[] }

const SEARCHED: Record<string, Completions["kind_found"]> = { dag: "dag", pool: "pool", worker: "worker" };

/* For where the caret stands. A value in quotes is not completed. */
export function filter_completions(kind: Kind, text: string, caret: number): Completions {
  const from_blank = caret - /\S*$/.exec(text.slice(0, caret))![0].length;
  const to = caret + /^\S*/.exec(text.slice(caret))![0].length;
  const before = text.slice(from_blank, caret);
  const head = KEY.exec(before);
  const key = head && found(kind, head[2]);
  if (!head) {
    const choices = keys_of(kind).filter((k) => k.key.startsWith(before)).map((k) => ({ text: `${k.key}:`, hint: k.help }));
    return { from: from_blank, to, typed: before, kind_found: null, choices };
  }
  const typed = before.slice(head[0].length).split(",").at(-1)!;
  const from = caret - typed.length;
  const choices = key && !typed.includes('"') ? key.values(kind).filter((v) => v.startsWith(typed) && v !== typed).map((v) => ({ text: v, hint: "" })) : [];
  return { from, to: key?.is_list ? caret + /^[^\s,]*/.exec(text.slice(caret))![0].length : to, typed, kind_found: key && !typed.includes('"') ? SEARCHED[key.key] ?? null : null, choices };
}
