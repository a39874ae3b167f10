// SPDX-License-Identifier: Apache-2.0
/* text - the spans of a line of a log as elements, with what was looked for marked. */
import type { Span } from "./ansi.ts";

const MARKS_MAX = 100; // in one span

function highlight(text: string, find: string): React.ReactNode {
  const parts: React.ReactNode[] = [];
  const low = text.toLowerCase();
  let at = 0;
  for (let hit = low.indexOf(find); hit >= 0 && parts.length < MARKS_MAX; hit = low.indexOf(find, at)) {
    parts.push(text.slice(at, hit), <mark key={hit}>{text.slice(hit, hit + find.length)}</mark>);
    at = hit + find.length;
  }
  return at ? [...parts, text.slice(at)] : text;
}

/* `find`: in small letters, or empty. */
export function LineText({ spans, find = "" }: { spans: Span[]; find?: string }) {
  return spans.map((s, i) => s.href
    ? <a key={i} href={s.href} target="_blank" rel="noopener noreferrer" className={s.style || undefined}>{s.text}</a>
    : <span key={i} className={s.style || undefined}>{find ? highlight(s.text, find) : s.text}</span>);
}
