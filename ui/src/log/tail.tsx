// SPDX-License-Identifier: Apache-2.0
/* tail - the last lines of an attempt's log, followed while it runs; all of it is one click further. */
import { useEffect } from "react";
import { count } from "../lib/number.ts";
import { Link } from "../lib/router.tsx";
import { LINE_MAX, line_of, spans_of } from "./ansi.ts";
import { useLogSource } from "./follow.ts";
import { LineText } from "./text.tsx";
import "../styles/log.css";

const LINES = 20;

interface Props { url: string; runs: boolean; to: string; label: string }

export default function LogTail({ url, runs, to, label }: Props) {
  const source = useLogSource(url, runs);
  const { opened, total } = source;
  const first = Math.max(0, total - LINES);
  useEffect(() => { if (opened) source.want(first, total); }, [source, opened, first, total]);
  const lines = Array.from({ length: total - first }, (_, i) => source.line(first + i));
  return (
    <section className="log-tail" aria-label={label}>
      <div className="row wrap"><span className="muted">{source.error ? source.error.message : !opened ? "Reading…" : total ? `${total > LINES ? `The last ${LINES} of ${count(total)} lines` : count(total) + (total === 1 ? " line" : " lines")}` : runs ? "No output yet." : "It ended without output."}</span><span className="grow" /><Link className="button small" to={to}>Open the log</Link></div>
      {total > 0 && <pre className="code" tabIndex={0}>{lines.map((raw, i) => <div key={first + i} className={raw === undefined ? "" : `s-${line_of(raw).stream}`}>{raw === undefined ? "…" : <LineText spans={spans_of(line_of(raw).text.slice(0, LINE_MAX))} />}{"\n"}</div>)}</pre>}
    </section>
  );
}
