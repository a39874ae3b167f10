// SPDX-License-Identifier: Apache-2.0
/* markdown - the small part of it that DAG docs use, as a tree: never HTML, no images from elsewhere, links to http(s) and
 * mailto alone. Pure. */

export type Inline = { kind: "text" | "strong" | "em" | "code"; text: string } | { kind: "link"; text: string; href: string };
export type Block = { kind: "heading"; level: number; text: Inline[] } | { kind: "paragraph"; text: Inline[] } | { kind: "list"; ordered: boolean; items: Inline[][] } | { kind: "code"; text: string } | { kind: "rule" };

const SAFE = /^(https?:\/\/|mailto:|\/(?!\/))/i;
const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|__([^_]+)__|\*([^*\s][^*]*)\*|!?\[([^\]]*)\]\(([^)\s]+)\)|(https?:\/\/[^\s<>()]+)/g;

export function inline(text: string): Inline[] {
  const out: Inline[] = [];
  let at = 0;
  for (const m of text.matchAll(INLINE)) {
    if (m.index > at) out.push({ kind: "text", text: text.slice(at, m.index) });
    at = m.index + m[0].length;
    if (m[1] !== undefined) out.push({ kind: "code", text: m[1] });
    else if (m[2] ?? m[3]) out.push({ kind: "strong", text: (m[2] ?? m[3])! });
    else if (m[4]) out.push({ kind: "em", text: m[4] });
    else if (m[7]) out.push({ kind: "link", text: m[7], href: m[7] });
    else if (SAFE.test(m[6])) out.push({ kind: "link", text: m[5] || m[6], href: m[6] });
    else out.push({ kind: "text", text: m[5] });
  }
  if (at < text.length) out.push({ kind: "text", text: text.slice(at) });
  return out;
}

export function blocks(source: string): Block[] {
  const out: Block[] = [];
  const lines = source.replace(/\r\n?/g, "\n").split("\n");
  for (let i = 0; i < lines.length; ) {
    const line = lines[i];
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    if (!line.trim()) i++;
    else if (/^```/.test(line)) {
      const end = lines.findIndex((l, j) => j > i && /^```/.test(l));
      const stop = end < 0 ? lines.length : end;
      out.push({ kind: "code", text: lines.slice(i + 1, stop).join("\n") });
      i = stop + 1;
    } else if (heading) {
      out.push({ kind: "heading", level: heading[1].length, text: inline(heading[2]) });
      i++;
    } else if (/^(-{3,}|\*{3,})\s*$/.test(line)) {
      out.push({ kind: "rule" });
      i++;
    } else if (/^\s*([-*+]|\d+[.)])\s+/.test(line)) {
      const ordered = /^\s*\d/.test(line);
      const items: Inline[][] = [];
      for (; i < lines.length && /^\s*([-*+]|\d+[.)])\s+/.test(lines[i]); i++) items.push(inline(lines[i].replace(/^\s*([-*+]|\d+[.)])\s+/, "")));
      out.push({ kind: "list", ordered, items });
    } else {
      const start = i;
      while (i < lines.length && lines[i].trim() && !/^(#{1,6}\s|```|\s*([-*+]|\d+[.)])\s+)/.test(lines[i])) i++;
      if (i === start) i++;
      out.push({ kind: "paragraph", text: inline(lines.slice(start, i).join(" ")) });
    }
  }
  return out;
}
