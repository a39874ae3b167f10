// SPDX-License-Identifier: Apache-2.0
/* compare - the logs of two tries beside each other, below each other on a phone; what is the same is folded. */
import { Fragment, useEffect, useRef, useState, type ReactNode } from "react";
import { url_of } from "../lib/api.ts";
import type { TaskPage } from "../lib/model.ts";
import { count, plural } from "../lib/number.ts";
import { Link, path_of } from "../lib/router.tsx";
import { Empty, ErrorBox, Panel, Skeleton, useKeys } from "../parts/basics.tsx";
import { LINE_MAX, line_of, spans_of } from "./ansi.ts";
import { pieces_of, type Piece } from "./compare.ts";
import { useCompared, type Compared, type LogEnd } from "./compared.ts";
import { LineText } from "./text.tsx";
import "../styles/log.css";

const ROWS_AT_ONCE = 1000;

type Tries = [number, number];

/* `is_stop`: its first line can be reached by Tab. All of them would be a thousand stops. */
function Side({ log, attempt, from, n, side, is_stop, to, children }: { log: LogEnd; attempt: number; from: number; n: number; side: "before" | "after"; is_stop: boolean; to: (attempt: number, line: number) => string; children?: ReactNode }) {
  return log.lines.slice(from, from + n).map((raw, i) => {
    const line = log.first + from + i + 1;
    const { text, stream } = line_of(raw);
    return (
      <div key={line} className={`compare-line ${side} s-${stream}`}>
        <Link className="log-n" tabIndex={is_stop && i === 0 ? undefined : -1} to={to(attempt, line)} aria-label={`Line ${line} of try ${attempt}`}>{line}</Link>
        <span className="log-text">{children}<LineText spans={spans_of(text.slice(0, LINE_MAX))} />{text.length > LINE_MAX && "…"}{"\n"}</span>
      </div>
    );
  });
}

const SIGN = { before: "−", after: "+" };

function Block({ piece, compared, tries, to }: { piece: Piece; compared: Compared; tries: Tries; to: (attempt: number, line: number) => string }) {
  const sign = (side: "before" | "after") => !piece.same && <span className="compare-sign" aria-hidden="true">{SIGN[side]} </span>;
  const words = piece.same ? undefined : [piece.a_n && `${plural(piece.a_n, "line")} of try ${tries[0]}`, piece.b_n && `${plural(piece.b_n, "line")} of try ${tries[1]}`].filter(Boolean).join(", instead ");
  return (
    <div className={`compare-block ${piece.same ? "same" : "other"}`} role={words && "group"} aria-label={words} data-difference={piece.difference ?? undefined}>
      <Side log={compared.logs[0]} attempt={tries[0]} from={piece.a} n={piece.a_n} side="before" is_stop={!piece.same} to={to}>{sign("before")}</Side>
      <Side log={compared.logs[1]} attempt={tries[1]} from={piece.b} n={piece.b_n} side="after" is_stop={!piece.same} to={to}>{sign("after")}</Side>
    </div>
  );
}

/* What of a log is not compared, or may still come; null when it is whole. */
function lacks(log: LogEnd, attempt: number): string | null {
  const sentences = [log.first > 0 && `Of try ${attempt} the last ${count(log.lines.length)} lines are compared, of ${count(log.first + log.lines.length)}.`, !log.complete && `Try ${attempt} still runs: this is what it had written by now.`];
  return sentences.filter(Boolean).join(" ") || null;
}

function Differences({ compared, tries, to, again }: { compared: Compared; tries: Tries; to: (attempt: number, line: number) => string; again: () => void }) {
  const [rows, set_rows] = useState(ROWS_AT_ONCE);
  const [unfolded, set_unfolded] = useState<Set<string>>(new Set());
  const [at, set_at] = useState(-1);
  const box = useRef<HTMLDivElement>(null);
  const { pieces, more } = pieces_of(compared.blocks, unfolded, rows);
  const differences = compared.blocks.filter((b) => !b.same).length;
  useEffect(() => {
    if (at < 0) return;
    const block = box.current?.querySelector(`[data-difference="${at}"]`);
    if (block) block.scrollIntoView({ block: "center" });
    else if (more) set_rows(rows + ROWS_AT_ONCE); // it is further down than what is drawn
  }, [at, rows]);
  const step = (by: number) => differences && set_at((now) => (now < 0 ? (by > 0 ? 0 : differences - 1) : (now + by + differences) % differences));
  useKeys([{ key: "n", what: "Next difference", run: () => step(1) }, { key: "N", what: "Difference before", run: () => step(-1) }]);
  const notes = tries.map((attempt, side) => lacks(compared.logs[side], attempt)).filter(Boolean);
  return (
    <Panel flush title={`Log of try ${tries[0]} and of try ${tries[1]}`} extra={differences > 0 && <>
      <span className="muted num nowrap" role="status">{at < 0 ? plural(differences, "difference") : `${at + 1} of ${plural(differences, "difference")}`}</span>
      {at < 0 && <button className="button small" onClick={() => step(1)}>First difference</button>}
      {at >= 0 && <><button className="button small icon" aria-label="Difference before" onClick={() => step(-1)}>↑</button><button className="button small icon" aria-label="Next difference" onClick={() => step(1)}>↓</button></>}
    </>}>
      {notes.length > 0 && <div className="note row wrap"><span>{notes.join(" ")}</span>{compared.logs.some((log) => !log.complete) && <button className="button small" onClick={again}>Read again</button>}</div>}
      {differences === 0 ? <Empty title="They say the same, but for the time." /> : (
        <div className="compare" ref={box} tabIndex={0} role="region" aria-label="Differences">
          {pieces.map((piece) => <Fragment key={piece.id}>{piece.fold
            ? <button className="compare-fold" onClick={() => set_unfolded(new Set(unfolded).add(piece.id))}>Show {plural(piece.a_n, "line")} that are alike</button>
            : <Block piece={piece} compared={compared} tries={tries} to={to} />}</Fragment>)}
          {more && <button className="compare-fold" onClick={() => set_rows(rows + ROWS_AT_ONCE)}>Show {count(ROWS_AT_ONCE)} more lines</button>}
        </div>
      )}
    </Panel>
  );
}

export default function Compare({ page, tries }: { page: TaskPage; tries: Tries }) {
  const { dag_id, run_id, task_id, map_index } = page;
  const [asked, set_asked] = useState(0);
  const again = () => set_asked(asked + 1);
  const url = (attempt: number) => url_of.log(dag_id, run_id, task_id, map_index, attempt);
  const { compared, error } = useCompared(url(tries[0]), url(tries[1]), asked);
  if (error) return <ErrorBox error={error} retry={again} />;
  if (!compared) return <Panel title={`Log of try ${tries[0]} and of try ${tries[1]}`}><Skeleton rows={10} /></Panel>;
  return <Differences compared={compared} tries={tries} again={again} to={(attempt, line) => `${path_of.task(dag_id, run_id, task_id, map_index)}?try=${attempt}#L${line}`} />;
}
