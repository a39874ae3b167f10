// SPDX-License-Identifier: Apache-2.0
/* bulk_reports - actions upon many rows: how far each is, and in the end what was refused and why. */
import { bulk_dismiss, refusals_by_reason, type Bulk, type Refusal } from "../lib/bulk.ts";
import { count } from "../lib/number.ts";
import { Link, path_of } from "../lib/router.tsx";
import { Meter } from "./state.tsx";
import "../styles/bulk.css";

const SHOWN_MAX = 50;

function RefusedRow({ row }: { row: Refusal }) {
  const to = row.task_id === undefined ? path_of.run(row.dag_id, row.run_id) : path_of.task(row.dag_id, row.run_id, row.task_id, row.map_index ?? -1);
  return <li><Link to={to} className="mono">{row.dag_id} / {row.run_id}{row.task_id === undefined ? "" : ` / ${row.task_id}${(row.map_index ?? -1) >= 0 ? `[${row.map_index}]` : ""}`}</Link></li>;
}

function Refusals({ refused }: { refused: Refusal[] }) {
  return (
    <>
      {refusals_by_reason(refused).map(([reason, rows]) => (
        <details key={reason} className="bulk-reason">
          <summary><b className="num">{count(rows.length)}</b> not: {reason}</summary>
          <ul>{rows.slice(0, SHOWN_MAX).map((row) => <RefusedRow key={JSON.stringify(row)} row={row} />)}{rows.length > SHOWN_MAX && <li className="muted">and {count(rows.length - SHOWN_MAX)} more</li>}</ul>
        </details>
      ))}
    </>
  );
}

function ReportOf({ bulk }: { bulk: Bulk }) {
  const { total, done, refused, end, why } = bulk.report;
  const told = done + refused.length;
  const words = end === null ? `${count(told)} of ${count(total)}` : `${count(done)} of ${count(total)} done${refused.length ? `, ${count(refused.length)} refused` : ""}`;
  return (
    <section className={`bulk${end === "stopped" || refused.length ? " bad" : ""}`} aria-label={bulk.title}>
      <div className="row"><b className="grow">{bulk.title}</b>
        {end === null ? <button className="button small" onClick={bulk.stop}>Stop</button> : <button className="button small" onClick={() => bulk_dismiss(bulk.id)}>Dismiss</button>}
      </div>
      <Meter label={words} parts={[{ kind: "good", share: total ? done / total : 0 }, { kind: "bad", share: total ? refused.length / total : 0 }]} />
      <div className="muted num" role="status">{end === null ? words : <>{end === "stopped" ? "Stopped. " : ""}{words}.</>}</div>
      {why && <div className="pre">{why}</div>}
      <Refusals refused={refused} />
    </section>
  );
}

export default function BulkReports({ bulks }: { bulks: Bulk[] }) {
  return <div className="bulks">{bulks.map((bulk) => <ReportOf key={bulk.id} bulk={bulk} />)}</div>;
}
