// SPDX-License-Identifier: Apache-2.0
import type { ImportError } from "../lib/model.ts";
import { When } from "./clock.tsx";
import { Glyph } from "./state.tsx";

export function ImportErrorItem({ error, open }: { error: ImportError; open?: boolean }) {
  const where = [error.line, error.column].filter((x) => x !== null);
  const place = [error.file, ...where].join(":");
  const short = [error.file.split("/").slice(-2).join("/"), ...where].join(":");
  return (
    <li className="import-error">
      <div className="line"><Glyph state="failed" /><span className="mono clip" title={place}>{short}</span><span className="grow" /><span className="muted"><When at={error.at} relative /></span></div>
      <div className="import-text">
        <div className="pre">{error.message}</div>
        {error.advice && <div className="muted pre">{error.advice}</div>}
        {open && error.excerpt && <pre className="code" tabIndex={0}>{error.excerpt}</pre>}
        {open && <div className="muted">{error.last_good_version !== null ? `Version ${error.last_good_version} of ${error.dag_ids.join(", ")} stays active.` : error.dag_ids.length ? `${error.dag_ids.join(", ")} was never loaded.` : "No DAG of this file was ever loaded."}</div>}
      </div>
    </li>
  );
}
