// SPDX-License-Identifier: Apache-2.0
/* urls - what is asked where, and what each page asks for first. Pure, and without React: early.ts is loaded before it. */

const e = encodeURIComponent;

export const V1 = "/api/headrace/v1";
export const V2 = "/api/v2";
export const DAGS_AT_ONCE = 100;
export const RUNS_SHOWN = 25;
export const INSTANCES_AT_ONCE = 100;
export const HOME_HOURS = 24;
export const LOG_BLOCK = 512; // lines

const LOGS = `${V1}/ui/log/`;
const DAY_MS = 86_400_000;

/* To the minute, so that drawing again does not ask again. */
export const minute_now = (): number => Math.floor(Date.now() / 60_000) * 60_000;

export const url_of = {
  me: () => `${V1}/me`,
  home: (hours: number) => `${V1}/ui/home?hours=${hours}`,
  lanes: (hours: number) => `${V1}/ui/lanes?hours=${hours}`,
  dag: (dag: string) => `${V1}/ui/dags?dag_id=${e(dag)}&runs=1`,
  cells: (dag: string, runs: number, before: number | null) => `${V1}/ui/grid/${e(dag)}/cells?runs=${runs}${before === null ? "" : `&before=${before}`}`,
  shape: (dag: string, version: number | null = null) => `${V1}/ui/grid/${e(dag)}/shape${version === null ? "" : `?version=${version}`}`,
  run: (dag: string, run: string) => `${V1}/ui/run/${e(dag)}/${e(run)}`,
  task: (dag: string, run: string, task: string, map: number) => `${V1}/ui/task/${e(dag)}/${e(run)}/${e(task)}/${map}`,
  usage: (dag: string, task: string, map: number) => `${V1}/ui/usage/${e(dag)}/${e(task)}?map_index=${map}`,
  mapped: (dag: string, run: string, task: string, from: number, state: string | null, q: string | null) => `${V1}/ui/mapped/${e(dag)}/${e(run)}/${e(task)}?from=${from}&limit=${INSTANCES_AT_ONCE}${state ? `&state=${e(state)}` : ""}${q ? `&q=${e(q)}` : ""}`,
  log: (dag: string, run: string, task: string, map: number, attempt: number) => `${LOGS}${e(dag)}/${e(run)}/${e(task)}/${map}/${attempt}`,
  log_topic: (log: string) => `log:${log.slice(LOGS.length)}`, // its name on the stream
  log_end: (log: string) => `${log}?tail=${LOG_BLOCK}`,
  log_newest: (log: string) => log.replace(/[^/]*$/, "newest"), // whichever try that is
  list: (kind: "runs" | "tasks", asked: string) => `${V1}/ui/${kind}?limit=100&${asked}`,
  views: () => `${V1}/me/views`,
  dag2: (dag: string) => `${V2}/dags/${e(dag)}`,
  run2: (dag: string, run: string) => `${V2}/dags/${e(dag)}/dagRuns/${e(run)}`,
  ti2: (dag: string, run: string, task: string, map = -1) => `${V2}/dags/${e(dag)}/dagRuns/${e(run)}/taskInstances/${e(task)}${map >= 0 ? `/${map}` : ""}`,
  /* As the address of the list asks for it: the server filters, so that ten thousand DAGs are as quick as ten. */
  dags: (query: URLSearchParams) => {
    const show = query.get("show") ?? "";
    const asked = new URLSearchParams({ runs: "14", limit: String(DAGS_AT_ONCE), order_by: query.get("sort") || "attention" });
    if (show === "active" || show === "paused") asked.set("paused", String(show === "paused"));
    else if (show === "favorite") asked.set("is_favorite", "true");
    else if (show) asked.set("state", show);
    for (const key of ["q", "tag", "owner", "offset"]) if (query.get(key)) asked.set(key, query.get(key)!);
    return `${V1}/ui/dags?${asked}`;
  },
};

/* The parts of a path that fit a pattern such as "/dags/:dag/runs/:run/*", decoded; null when it does not fit. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const want = pattern.split("/").filter(Boolean);
  const have = path.split("/").filter(Boolean);
  const found: Record<string, string> = {};
  for (let i = 0; i < want.length; i++) {
    if (want[i] === "*") return { ...found, rest: have.slice(i).join("/") };
    if (i >= have.length) return null;
    if (want[i].startsWith(":")) {
      try {
        found[want[i].slice(1)] = decodeURIComponent(have[i]);
      } catch {
        return null;
      }
    } else if (want[i] !== have[i]) return null;
  }
  return have.length === want.length ? found : null;
}

type First = (found: Record<string, string>, query: URLSearchParams, hours: number) => string[];

const map_of = (found: Record<string, string>): number => (found.map === undefined ? -1 : Number(found.map));
const instance_first: First = (found) => [url_of.task(found.dag, found.run, found.task, map_of(found))];
const log_first: First = (found, query) => (query.has("try") ? [] : [url_of.log_end(url_of.log_newest(url_of.log(found.dag, found.run, found.task, map_of(found), 0)))]);
/* Whether it is a mapped one is not known yet: of what it is not there is next to nothing to answer. */
const mapped_first: First = ({ dag, run, task }, query) => [url_of.mapped(dag, run, task, 0, query.get("state"), query.get("q"))];
const all = (...of: First[]): First => (found, query, hours) => of.flatMap((first) => first(found, query, hours));
const run_first: First = ({ dag, run }) => [url_of.run(dag, run)];
const home_first: First = (_found, _query, hours) => [url_of.home(hours)]; // the lanes count as many rows again: after it

/* Without a filter, as filter_asked says it; with one, its words would have to be understood here. */
const list_first = (kind: "runs" | "tasks"): First => (_found, query) => [url_of.views(), ...(query.size ? [] : [url_of.list(kind, `from=${minute_now() - DAY_MS}`)])];

/* The first that fits: the modules that draw the page, and what it asks for. */
const FIRST: [pattern: string, modules: string[], first: First][] = [
  ["/", ["pages/home"], home_first], ["/home", ["pages/home"], home_first],
  ["/dags", ["pages/dags"], (_found, query) => [url_of.dags(query)]],
  ["/dag_runs", ["pages/lists"], list_first("runs")], ["/task_instances", ["pages/lists"], list_first("tasks")],
  ["/dags/:dag/runs/:run/tasks/:task/mapped/:map", ["pages/task", "log/log"], all(instance_first, log_first)], ["/dags/:dag/runs/:run/tasks/:task/mapped/:map/:tab", ["pages/task"], instance_first],
  ["/dags/:dag/runs/:run/tasks/:task", ["pages/task", "log/log", "parts/mapped"], all(instance_first, mapped_first, log_first)], ["/dags/:dag/runs/:run/tasks/:task/:tab", ["pages/task"], instance_first],
  ["/dags/:dag/runs/:run/graph", ["pages/run", "graph/graph"], run_first],
  ["/dags/:dag/runs/:run", ["pages/run"], run_first], ["/dags/:dag/runs/:run/:tab", ["pages/run"], run_first],
  ["/dags/:dag/tasks/:task", ["pages/dag"], ({ dag }) => [url_of.dag(dag)]],
  ["/dags/:dag/graph", ["pages/dag", "graph/graph"], dag_first],
  ["/dags/:dag", ["pages/dag"], dag_first], ["/dags/:dag/:tab", ["pages/dag"], dag_first],
];

function dag_first({ dag }: Record<string, string>, query: URLSearchParams): string[] {
  return [url_of.dag(dag), url_of.shape(dag), url_of.cells(dag, Number(query.get("run_limit") || RUNS_SHOWN), null)];
}

const row_of = (path: string) => FIRST.find(([pattern]) => match(pattern, path));

/* What the page of an address asks for as soon as it is drawn. `hours`: what its home page looks back. */
export function first_urls(path: string, query: URLSearchParams, hours: number): string[] {
  const [pattern, , first] = row_of(path) ?? [];
  return first ? first(match(pattern!, path)!, query, hours) : [];
}

export const page_modules = (path: string): string[] => row_of(path)?.[1] ?? [];

export const PAGE_MODULES = [...new Set(FIRST.flatMap(([, modules]) => modules))];

/* The files of the modules that draw the page of an address; `files`: of each module. */
export function page_files(files: Record<string, string[]>, path: string): string[] {
  return [...new Set(page_modules(path).flatMap((module) => files[module] ?? []))];
}
