// SPDX-License-Identifier: Apache-2.0
/* follow - the log of an attempt, read and followed as long as lines may come. */
import { useEffect, useMemo, useReducer } from "react";
import { live_watch } from "../lib/live.ts";
import { url_of } from "../lib/urls.ts";
import { LogSource } from "./source.ts";

/* `runs`: the attempt goes on. `attempt`: its id, where it is known. The last lines of one that has ended may still be on their way from its worker. */
export function useLogSource(url: string, runs: boolean, attempt: string | null = null): LogSource {
  const [, draw] = useReducer((n: number) => n + 1, 0);
  const source = useMemo(() => new LogSource(url, draw, attempt), [url, attempt]);
  useEffect(() => {
    const topic = url_of.log_topic(url);
    const watch = () => live_watch([topic], { event: (event) => event.name === "log" && `log:${event.data.log}` === topic && source.grown(event.data) });
    let leave = runs ? watch() : null;
    let is_gone = false;
    void source.open(runs).then(() => { if (!is_gone && !source.complete) leave ??= watch(); });
    return () => {
      is_gone = true;
      leave?.();
      source.close();
    };
  }, [source]); // not when the attempt ends: the end of its log is still to come
  return source;
}
