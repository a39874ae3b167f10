// SPDX-License-Identifier: Apache-2.0
/* tail - the last lines of an attempt's log, followed while it runs; all of it is one click further. */
import { useEffect, useMemo, useReducer } from "react";
import { live_watch } from "../lib/live.ts";
import { count } from "../lib/number.ts";
import { Link } from "../lib/router.tsx";
import { LINE_MAX, line_of, spans_of } from "./ansi.ts";
import { LogSource } from "./source.ts";
import { LineText } from "./text.tsx";
import "../styles/log.css";

const LINES = 20;

interface Props { url: string; topic: string | null; to: string; label: string }

export default function LogTail({ url, topic, to, label }: Props) {
  const [, draw] = useReducer((n: number) => n + 1, 0);
  const source = useMemo(() => new LogSource(url, draw), [url]);
  const { opened, total } = source;
  useEffect(() => {
    void source.open(topic !== null);
    const leave = topic ? live_watch([`log:${topic}`], { event: (event) => event.name === "log" && event.data.log === topic && source.grown(event.data.lines!, event.data.bytes!, event.data.complete!) }) : null;
    return () => { leave?.(); source.close(); };
  }, [source]); // not when the try ends: the end of its log is still to come
  const first = Math.max(0, total - LINES);
  useEffect(() => { if (opened) source.want(first, total); }, [source, opened, first, total]);
  const lines = Array.from({ length: total - first }, (_, i) => source.line(first + i));
  return (
    <section className="log-tail" aria-label={label}>
      <div className="row wrap"><span className="muted">{source.error ? source.error.message : !opened ? "Reading…" : total ? `${total > LINES ? `The last ${LINES} of ${count(total)} lines` : count(total) + (total === 1 ? " line" : " lines")}` : topic ? "No output yet." : "It ended without output."}</span><span className="grow" /><Link className="button small" to={to}>Open the log</Link></div>
      {total > 0 && <pre className="code" tabIndex={0}>{lines.map((raw, i) => <div key={first + i} className={raw === undefined ? "" : `s-${line_of(raw).stream}`}>{raw === undefined ? "…" : <LineText spans={spans_of(line_of(raw).text.slice(0, LINE_MAX))} />}{"\n"}</div>)}</pre>}
    </section>
  );
}
