// SPDX-License-Identifier: Apache-2.0
/* compared - two logs as they are now: read from their ends, and told apart by a worker of their own. */
import { useEffect, useState } from "react";
import { api_raw, type ApiError } from "../lib/api.ts";
import type { Block } from "../lib/diff.ts";
import { script_url } from "../lib/trusted.ts";
import { BYTES_MAX, LINES_MAX, lines_of } from "./compare.ts";
import type { CompareAnswer, CompareAsk } from "./compare.worker.ts";
import worker_url from "./compare.worker.ts?worker&url";

const PAGE = 2000; // what the server gives at once

/* `first`: the number of the first line read; what stands before it is not compared. */
export interface LogEnd { lines: string[]; first: number; complete: boolean }
export interface Compared { logs: [LogEnd, LogEnd]; blocks: Block[] }

/* The last lines of a log, page by page from its end. A log that is not there is an error: it is not an empty one. */
export async function log_end(url: string, signal: AbortSignal): Promise<LogEnd> {
  const page = async (query: string) => {
    const response = await api_raw(`${url}?${query}`, { signal });
    return { text: await response.text(), first: Number(response.headers.get("Log-First-Line")), complete: response.headers.get("Log-Complete") === "true" };
  };
  const last = await page(`tail=${PAGE}`);
  const pages = [last.text];
  let { first } = last;
  for (let lines = PAGE, size = last.text.length; first > 0 && lines < LINES_MAX && size < BYTES_MAX;) {
    const n = Math.min(PAGE, first, LINES_MAX - lines);
    const before = await page(`from=${first - n}&lines=${n}`);
    pages.unshift(before.text);
    first -= n;
    lines += n;
    size += before.text.length;
  }
  return { lines: lines_of(pages.join("")), first, complete: last.complete };
}

/* Null until it is known. Asked again when `asked` is another number. */
export function useCompared(before: string, after: string, asked: number): { compared: Compared | null; error: ApiError | null } {
  const [compared, set_compared] = useState<Compared | null>(null);
  const [error, set_error] = useState<ApiError | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    let worker: Worker | undefined;
    set_compared(null);
    set_error(null);
    Promise.all([log_end(before, abort.signal), log_end(after, abort.signal)]).then((logs) => {
      worker = new Worker(script_url(worker_url), { type: "module" });
      worker.onmessage = ({ data }: MessageEvent<CompareAnswer>) => set_compared({ logs, blocks: data });
      const ask: CompareAsk = { before: logs[0].lines, after: logs[1].lines };
      worker.postMessage(ask);
    }).catch((e: Error) => { if (e.name !== "AbortError") set_error(e as ApiError); });
    return () => { abort.abort(); worker?.terminate(); };
  }, [before, after, asked]);
  return { compared, error };
}
