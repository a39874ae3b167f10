// SPDX-License-Identifier: Apache-2.0
/* clock - times on the page, in the zone of the user, driven by one timer for all of them. */
import { useEffect, useReducer } from "react";
import { server_now } from "../lib/api.ts";
import { pref_get, usePref } from "../lib/prefs.ts";
import { ago, clock, duration, duration_live, instant, NONE, offset, zone_of_browser, zone_short } from "../lib/time.ts";

export function useZone(): string {
  const [zone] = usePref("zone", "local");
  return zone === "local" ? zone_of_browser() : zone;
}

export function zone_now(): string {
  const zone = pref_get("zone", "local");
  return zone === "local" ? zone_of_browser() : zone;
}

const tickers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | null = null;

export function useTick(active = true): number {
  const [, draw] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    if (!active) return;
    tickers.add(draw);
    timer ??= setInterval(() => !document.hidden && tickers.forEach((t) => t()), 1000);
    return () => {
      tickers.delete(draw);
      if (!tickers.size && timer) {
        clearInterval(timer);
        timer = null;
      }
    };
  }, [active]);
  return server_now();
}

export function When({ at, relative, time_only }: { at: number | null | undefined; relative?: boolean; time_only?: boolean }) {
  const zone = useZone();
  const now = useTick(!!relative);
  if (at === null || at === undefined) return <span className="faint">{NONE}</span>;
  const title = `${instant(at, zone)} ${zone} (${offset(at, zone)})\n${instant(at, "UTC")} UTC\n${ago(at, now)}`;
  return (
    <time dateTime={new Date(at).toISOString()} title={title} className="num nowrap">
      {relative ? ago(at, now) : time_only ? clock(at, zone) : instant(at, zone)}
    </time>
  );
}

/* From start to end, or to now while it goes on. */
export function Span({ start, end }: { start: number | null | undefined; end: number | null | undefined }) {
  const open = start !== null && start !== undefined && (end === null || end === undefined);
  const now = useTick(open);
  if (start === null || start === undefined) return <span className="faint">{NONE}</span>;
  return <span className="num nowrap">{open ? duration_live(now - start) : duration(end! - start)}</span>;
}

export function HeaderClock() {
  const zone = useZone();
  const now = useTick();
  return <>{clock(now, zone)} {zone_short(zone, now)}</>;
}
