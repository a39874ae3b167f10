// SPDX-License-Identifier: Apache-2.0
/* ansi - a line of a log as spans: colours and weights kept, every other escape dropped, links only to http(s), what
 * would reorder text made visible. Pure; gives data, never HTML. */

export interface Span { text: string; style: string; href?: string }
export interface LogLine { at: number | null; stream: string; text: string }

const PREFIX = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) ([oeh]) /;

/* Takes the time and stream off the front of a stored line; one that has none is shown as it is. */
export function line_of(raw: string): LogLine {
  const m = PREFIX.exec(raw);
  const text = m ? raw.slice(m[0].length) : raw;
  return { at: m ? Date.parse(m[1]) : null, stream: m ? m[2] : "o", text: last_rewrite(text) };
}

/* A progress bar rewrites its line with carriage returns: the last state is what counts. */
function last_rewrite(text: string): string {
  const clean = text.replace(/\r+$/, "");
  const at = clean.lastIndexOf("\r");
  return at < 0 ? clean : clean.slice(at + 1);
}

const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
// CSI, OSC (ended by BEL or ST), other two-byte escapes, and stray control characters.
const ESCAPE = /\u001b\[([0-9;:]*)([@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[@-Z\\-_]|[\u0000-\u0008\u000b-\u001f\u007f]/g;
const BIDI = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

interface Look { fg: string; bold: boolean; dim: boolean; italic: boolean; underline: boolean }

function apply(look: Look, codes: number[]): Look {
  let next = { ...look };
  for (let i = 0; i < codes.length; i++) {
    const c = codes[i];
    if (c === 0) next = { fg: "", bold: false, dim: false, italic: false, underline: false };
    else if (c === 1) next.bold = true;
    else if (c === 2) next.dim = true;
    else if (c === 3) next.italic = true;
    else if (c === 4) next.underline = true;
    else if (c === 22) next.bold = next.dim = false;
    else if (c === 23) next.italic = false;
    else if (c === 24) next.underline = false;
    else if (c === 39) next.fg = "";
    else if (c >= 30 && c <= 37) next.fg = NAMES[c - 30];
    else if (c >= 90 && c <= 97) next.fg = NAMES[c - 90];
    else if (c === 38 || c === 48) {
      const nearest = codes[i + 1] === 5 ? of_256(codes[i + 2]) : codes[i + 1] === 2 ? of_rgb(codes[i + 2], codes[i + 3], codes[i + 4]) : "";
      if (c === 38) next.fg = nearest;
      i += codes[i + 1] === 5 ? 2 : codes[i + 1] === 2 ? 4 : 0;
    }
  }
  return next;
}

/* Exact colours would not be readable on both themes: the nearest named one is, because the theme chooses it. */
function of_rgb(r: number, g: number, b: number): string {
  const high = Math.max(r, g, b);
  if (!(high - Math.min(r, g, b) > 40)) return high > 128 ? "white" : "black";
  const bit = (v: number) => (v > high * 0.6 ? 1 : 0);
  return NAMES[bit(r) + 2 * bit(g) + 4 * bit(b)];
}

function of_256(n: number): string {
  if (n < 16) return NAMES[n % 8];
  if (n >= 232) return n > 243 ? "white" : "black";
  const c = n - 16;
  return of_rgb(Math.floor(c / 36) * 51, (Math.floor(c / 6) % 6) * 51, (c % 6) * 51);
}

function class_of(look: Look): string {
  return [look.fg && `a-${look.fg}`, look.bold && "a-bold", look.dim && "a-dim", look.italic && "a-italic", look.underline && "a-underline"].filter(Boolean).join(" ");
}

const URL_TEXT = /https?:\/\/[^\s"'<>\u0000-\u001f]{3,2000}/g;

function with_links(text: string, style: string): Span[] {
  const spans: Span[] = [];
  let at = 0;
  for (const m of text.matchAll(URL_TEXT)) {
    const href = m[0].replace(/[.,;:!?)\]}]+$/, "");
    if (m.index > at) spans.push({ text: text.slice(at, m.index), style });
    spans.push({ text: href, style, href });
    at = m.index + href.length;
  }
  if (at < text.length) spans.push({ text: text.slice(at), style });
  return spans;
}

export const LINE_MAX = 4096;

export function spans_of(text: string): Span[] {
  const spans: Span[] = [];
  let look: Look = { fg: "", bold: false, dim: false, italic: false, underline: false };
  let at = 0;
  const visible = text.replace(BIDI, (c) => `\u2039U+${c.codePointAt(0)!.toString(16).toUpperCase()}\u203a`);
  for (const m of visible.matchAll(ESCAPE)) {
    if (m.index > at) spans.push(...with_links(visible.slice(at, m.index), class_of(look)));
    at = m.index + m[0].length;
    if (m[2] === "m") look = apply(look, (m[1] || "0").split(/[;:]/).map(Number));
  }
  if (at < visible.length) spans.push(...with_links(visible.slice(at), class_of(look)));
  return spans;
}

export function plain_of(text: string): string {
  return text.replace(ESCAPE, "");
}
