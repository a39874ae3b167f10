// SPDX-License-Identifier: Apache-2.0
import { useMemo } from "react";
import { blocks, type Inline } from "../lib/markdown.ts";

function Line({ text }: { text: Inline[] }) {
  return <>{text.map((t, i) => {
    switch (t.kind) {
      case "code": return <code key={i}>{t.text}</code>;
      case "strong": return <strong key={i}>{t.text}</strong>;
      case "em": return <em key={i}>{t.text}</em>;
      case "link": return <a key={i} href={t.href} target="_blank" rel="noopener noreferrer" title={t.href}>{t.text}</a>;
      default: return t.text;
    }
  })}</>;
}

export function Markdown({ source }: { source: string }) {
  const parsed = useMemo(() => blocks(source), [source]);
  return (
    <div className="markdown stack tight">
      {parsed.map((b, i) => {
        switch (b.kind) {
          case "heading": return b.level <= 2 ? <h3 key={i}><Line text={b.text} /></h3> : <h4 key={i}><Line text={b.text} /></h4>;
          case "code": return <pre key={i} className="code" tabIndex={0}>{b.text}</pre>;
          case "rule": return <hr key={i} />;
          case "list": return <ul key={i} className={b.ordered ? "numbers" : "bullets"}>{b.items.map((item, j) => <li key={j}><Line text={item} /></li>)}</ul>;
          default: return <p key={i}><Line text={b.text} /></p>;
        }
      })}
    </div>
  );
}
