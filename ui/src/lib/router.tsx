// SPDX-License-Identifier: Apache-2.0
/* router - the address bar is the state: paths are Airflow's, filters are query keys, every view is a link. */
import { useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent } from "react";

export { match } from "./urls.ts";

export interface Place { path: string; query: URLSearchParams; hash: string }

const listeners = new Set<() => void>();
let place = read();

function read(): Place {
  if (typeof location === "undefined") return { path: "/", query: new URLSearchParams(), hash: "" };
  return { path: location.pathname, query: new URLSearchParams(location.search), hash: location.hash };
}

function changed(): void {
  place = read();
  for (const listener of listeners) listener();
}

if (typeof addEventListener !== "undefined") addEventListener("popstate", changed);

export function go(to: string, replace = false): void {
  if (to === location.pathname + location.search + location.hash) return;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  const path_before = place.path;
  changed();
  if (!replace && place.path !== path_before) scrollTo(0, 0);
}

export function usePlace(): Place {
  return useSyncExternalStore((l) => (listeners.add(l), () => listeners.delete(l)), () => place);
}

/* Changes some query keys of the page shown; null or "" removes one. */
export function query_set(changes: Record<string, string | null>, replace = true): void {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === "") query.delete(key);
    else query.set(key, value);
  }
  const text = query.toString();
  go(location.pathname + (text ? `?${text}` : "") + location.hash, replace);
}

export function useQuery(key: string): string {
  return usePlace().query.get(key) ?? "";
}

/* The dialog that is open stands in the address: "?do=trigger" opens it for who follows the link. */
export function useDialog(): [string, (name: string) => void] {
  return [useQuery("do"), (name) => query_set({ do: name })];
}

const e = encodeURIComponent;

export const path_of = {
  dag: (dag: string, tab = "") => `/dags/${e(dag)}${tab ? `/${tab}` : ""}`,
  run: (dag: string, run: string, tab = "") => `/dags/${e(dag)}/runs/${e(run)}${tab ? `/${tab}` : ""}`,
  task: (dag: string, run: string, task: string, map = -1, tab = "") =>
    `/dags/${e(dag)}/runs/${e(run)}/tasks/${e(task)}${map >= 0 ? `/mapped/${map}` : ""}${tab ? `/${tab}` : ""}`,
  dag_task: (dag: string, task: string) => `/dags/${e(dag)}/tasks/${e(task)}`,
  worker: (name: string) => `/workers/${e(name)}`,
  queue: (name: string) => `/queues/${e(name)}`,
};

export function Link({ to, onClick, ...rest }: { to: string } & AnchorHTMLAttributes<HTMLAnchorElement>) {
  const click = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
  };
  return <a href={to} onClick={click} {...rest} />;
}
