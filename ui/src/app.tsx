// SPDX-License-Identifier: Apache-2.0
/* app - who is there, and which page. Each page is a file of its own, loaded when it is first shown. */
import { useCallback, useEffect, useState } from "react";
import { Graph } from "./graph/later.tsx";
import { api_come, api_get, api_session, ApiError, url_of, type Me } from "./lib/api.ts";
import { later, type Later } from "./lib/later.tsx";
import { live_retry, snapshots_retry } from "./lib/live.ts";
import { page_modules } from "./lib/urls.ts";
import { MeContext } from "./lib/me.ts";
import { go, match, usePlace } from "./lib/router.tsx";
import { Boundary, Empty, ErrorBox, Skeleton } from "./parts/basics.tsx";
import { Frame } from "./parts/frame.tsx";
import { Login } from "./pages/login.tsx";
import { Link } from "./lib/router.tsx";

type Page = Later<{ params: Record<string, string> }>;

const WAITING = <Skeleton rows={8} height={24} />;

const Home = later(() => import("./pages/home.tsx"), WAITING) as Page;
const Dags = later(() => import("./pages/dags.tsx"), WAITING) as Page;
const Dag = later(() => import("./pages/dag.tsx"), WAITING) as Page;
const Run = later(() => import("./pages/run.tsx"), WAITING) as Page;
const Task = later(() => import("./pages/task.tsx"), WAITING) as Page;
const Workers = later(() => import("./pages/workers.tsx"), WAITING) as Page;
const Queue = later(() => import("./pages/queue.tsx"), WAITING) as Page;
const Lists = later(() => import("./pages/lists.tsx"), WAITING) as Page;
const Assets = later(() => import("./pages/assets.tsx"), WAITING) as unknown as Page;
const Notifications = later(() => import("./pages/notifications.tsx"), WAITING) as unknown as Page;
const Access = later(() => import("./pages/access.tsx"), WAITING) as Page;
const Account = later(() => import("./pages/account.tsx"), WAITING) as unknown as Page;
const Admin = later(() => import("./pages/admin.tsx"), WAITING) as Page;

const ROUTES: [string, Page, Record<string, string>?][] = [
  ["/", Home], ["/home", Home], ["/dags", Dags],
  ["/dags/:dag/runs/:run/tasks/:task/mapped/:map/:tab", Task], ["/dags/:dag/runs/:run/tasks/:task/mapped/:map", Task],
  ["/dags/:dag/runs/:run/tasks/:task/:tab", Task], ["/dags/:dag/runs/:run/tasks/:task", Task],
  ["/dags/:dag/runs/:run/:tab", Run], ["/dags/:dag/runs/:run", Run],
  ["/dags/:dag/tasks/:task", Dag, { tab: "task" }],
  ["/dags/:dag/:tab", Dag], ["/dags/:dag", Dag],
  ["/dag_runs", Lists, { kind: "runs" }], ["/task_instances", Lists, { kind: "tasks" }],
  ["/workers", Workers], ["/workers/:worker", Workers], ["/queues/:queue", Queue], ["/assets", Assets], ["/notifications", Notifications],
  ["/pools", Admin, { kind: "pools" }], ["/variables", Admin, { kind: "variables" }], ["/connections", Admin, { kind: "connections" }],
  ["/events", Admin, { kind: "events" }], ["/settings", Admin, { kind: "settings" }], ["/import_errors", Admin, { kind: "import_errors" }],
  ["/security", Access, { tab: "users" }], ["/security/:tab", Access], ["/account", Account],
];

// The files of the page asked for come while the server is asked who is there; a failure is shown where the page is.
export const page_come = Promise.allSettled([
  ROUTES.find(([pattern]) => match(pattern, location.pathname))?.[1].load(),
  page_modules(location.pathname).includes("graph/graph") && Graph.load(),
]);

/* Airflow 2's links carry the run in the query: /dags/x/grid?dag_run_id=y. */
function old_link(path: string, query: URLSearchParams): string | null {
  const run = query.get("dag_run_id");
  const found = match("/dags/:dag/:tab", path);
  if (!run || !found || !["grid", "graph", "gantt"].includes(found.tab)) return null;
  const base = `/dags/${encodeURIComponent(found.dag)}/runs/${encodeURIComponent(run)}`;
  const task = query.get("task_id");
  return task ? `${base}/tasks/${encodeURIComponent(task)}` : base;
}

function Routed() {
  const { path, query } = usePlace();
  const old = old_link(path, query);
  useEffect(() => {
    if (old) go(old, true);
  }, [old]);
  if (old) return null;
  for (const [pattern, Page, fixed] of ROUTES) {
    const params = match(pattern, path);
    if (params) return <Page params={{ ...params, ...fixed }} />;
  }
  return <Empty whole title="There is no such page."><p>{path}</p><Link to="/dags" className="button">All DAGs</Link></Empty>;
}

export function App() {
  const [me, set_me] = useState<Me | null>(() => api_come<Me>(url_of.me()));
  const [signed_out, set_signed_out] = useState(false);
  const [error, set_error] = useState<ApiError | null>(null);
  const { path } = usePlace();
  const load = useCallback(async () => {
    try {
      const found = await api_get<Me>(url_of.me());
      if (me && me.username !== found.username) return location.reload(); // what is shown is another person's
      set_me(found);
      set_signed_out(false);
      snapshots_retry();
      set_error(null);
    } catch (e) {
      const failure = e as ApiError;
      if (failure.status === 401) set_signed_out(true);
      else set_error(failure);
    }
  }, [me]);
  useEffect(() => {
    if (me) live_retry(); // the stream may have been opened by another tab, for who was there then
    else void load();
  }, []);
  if (me) api_session(me.csrf, () => set_signed_out(true)); // before what is drawn below acts
  if (signed_out && !me) return <Login onDone={load} />;
  if (!me) return <main>{error ? <ErrorBox error={error} retry={() => void load()} /> : null}</main>;
  return (
    <MeContext value={me}>
      <Frame me={me}>
        <Boundary reset_key={path}><Routed /></Boundary>
      </Frame>
      {signed_out && <Login onDone={load} over username={me.username} />}
    </MeContext>
  );
}
