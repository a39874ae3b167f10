// SPDX-License-Identifier: Apache-2.0
/* admin - pools, variables, connections, audit log, settings, import errors. */
import { useState } from "react";
import { api_send, V1, V2 } from "../lib/api.ts";
import { useFetch } from "../lib/live.ts";
import { useMay } from "../lib/me.ts";
import type { ImportError } from "../lib/model.ts";
import { count } from "../lib/number.ts";
import { query_set, useQuery } from "../lib/router.tsx";
import Audit from "../parts/audit.tsx";
import { Dialog, Empty, ErrorBox, Loaded, Panel, toast, toast_error } from "../parts/basics.tsx";
import { PageHead, useTitle } from "../parts/head.tsx";
import { ImportErrorItem } from "../parts/import_error.tsx";
import { PoolUse } from "../parts/pool_use.tsx";
import { Meter } from "../parts/state.tsx";
import type { ApiError } from "../lib/api.ts";

interface Column { key: string; name: string; right?: boolean; phone?: boolean; show?: (row: Thing) => React.ReactNode }
interface FieldDef { key: string; name: string; type?: "number" | "check" | "area" | "password"; fixed?: boolean; hint?: string; required?: boolean; secret?: boolean }
type Thing = Record<string, unknown>;
interface Kind { title: string; one: string; path: string; list: string; id: string; permission: string; columns: Column[]; fields: FieldDef[]; empty: string; keep?: string[]; detail?: (id: string) => React.ReactNode }

const text = (v: unknown) => (v === null || v === undefined || v === "" ? "—" : String(v));

function PoolMeter({ pool }: { pool: Thing }) {
  const n = Math.max(1, Number(pool.slots));
  const running = Number(pool.running_slots);
  const queued = Number(pool.queued_slots);
  return <div className="row"><span className="list-meter"><Meter label={`${running} running, ${queued} queued, of ${pool.slots}`} parts={[{ kind: "used", share: running / n }, { kind: "waiting", share: queued / n }]} /></span><span className="num muted nowrap">{running + queued} of {text(pool.slots)}</span></div>;
}

const KINDS: Record<string, Kind> = {
  pools: {
    title: "Pools", one: "pool", path: "pools", list: "pools", id: "name", permission: "pools.edit", empty: "A pool limits how many tasks use something at the same time.", keep: ["default_pool"],
    detail: (pool) => <PoolUse pool={pool} />,
    columns: [{ key: "name", name: "Pool" }, { key: "use", name: "Slots in use", show: (p) => <PoolMeter pool={p} /> }, { key: "open_slots", name: "Open", right: true }, { key: "scheduled_slots", name: "Waiting", right: true }, { key: "deferred_slots", name: "Deferred", right: true, phone: false }, { key: "description", name: "Description", phone: false }],
    fields: [{ key: "name", name: "Name", fixed: true, required: true }, { key: "slots", name: "Slots", type: "number", hint: "Below what is in use: nothing is stopped, nothing new starts until it fits." }, { key: "include_deferred", name: "Deferred tasks take slots too", type: "check" }, { key: "description", name: "Description" }],
  },
  variables: {
    title: "Variables", one: "variable", path: "variables", list: "variables", id: "key", permission: "variables.edit", empty: "Templates read them as {{ var.value.NAME }}.",
    columns: [{ key: "key", name: "Name" }, { key: "value", name: "Value", show: (v) => <code className="clip admin-value">{text(v.value)}</code> }, { key: "description", name: "Description", phone: false }],
    fields: [{ key: "key", name: "Name", fixed: true, required: true, hint: "A name with secret, token, password or key in it is masked wherever it is shown." }, { key: "value", name: "Value", type: "area" }, { key: "description", name: "Description" }],
  },
  connections: {
    title: "Connections", one: "connection", path: "connections", list: "connections", id: "connection_id", permission: "connections.edit", empty: "sql and http tasks name the connection they use.",
    columns: [{ key: "connection_id", name: "Connection" }, { key: "conn_type", name: "Type" }, { key: "host", name: "Host", show: (c) => `${text(c.host)}${c.port ? `:${c.port}` : ""}` }, { key: "login", name: "Login", phone: false }, { key: "schema", name: "Schema", phone: false }, { key: "description", name: "Description", phone: false }],
    fields: [{ key: "connection_id", name: "Connection id", fixed: true, required: true }, { key: "conn_type", name: "Type", required: true, hint: "postgres, http, ..." }, { key: "host", name: "Host" }, { key: "port", name: "Port", type: "number" }, { key: "schema", name: "Schema" }, { key: "login", name: "Login" }, { key: "password", name: "Password", type: "password", secret: true }, { key: "extra", name: "Extra (JSON)", type: "area", secret: true }, { key: "description", name: "Description" }],
  },
};

/* What is kept but not shown. Its field begins empty, and is sent only when something was written into it. */
function is_hidden(field: FieldDef, thing: Thing | null): boolean {
  return thing !== null && (field.secret || thing[field.key] === "***");
}

function Editor({ kind, thing, onClose, onDone }: { kind: Kind; thing: Thing | null; onClose: () => void; onDone: () => void }) {
  const [form, set_form] = useState<Thing>(() => Object.fromEntries(kind.fields.map((f) => [f.key, is_hidden(f, thing) ? "" : thing?.[f.key] ?? (f.type === "check" ? false : "")])));
  const [error, set_error] = useState<ApiError | null>(null);
  const submit = async () => {
    const body: Thing = {};
    for (const f of kind.fields) {
      const v = form[f.key];
      if (v === "" && (f.secret || is_hidden(f, thing))) continue;
      body[f.key] = f.type === "number" ? (v === "" ? null : Number(v)) : v === "" && !f.required && f.key !== "value" ? null : v;
    }
    try {
      if (thing) await api_send("PATCH", `${V2}/${kind.path}/${encodeURIComponent(String(thing[kind.id]))}`, body);
      else await api_send("POST", `${V2}/${kind.path}`, body);
      toast(`${String(body[kind.id])} was saved.`);
      onDone();
    } catch (e) { set_error(e as ApiError); }
  };
  const missing = kind.fields.some((f) => f.required && !form[f.key]);
  return (
    <Dialog title={thing ? `Edit ${kind.one} ${String(thing[kind.id])}` : `New ${kind.one}`} onClose={onClose} footer={<><button className="button" onClick={onClose}>Cancel</button><button className="button primary" disabled={missing} onClick={() => void submit()}>Save {kind.one}</button></>}>
      {error && <ErrorBox error={error} />}
      {kind.fields.map((f) => {
        const id = `edit-${f.key}`;
        const hint = is_hidden(f, thing) ? "It is kept and never shown. Left empty, it stays as it is." : f.hint;
        const set = (value: unknown) => set_form({ ...form, [f.key]: value });
        if (f.type === "check") return <label key={f.key} className="check"><input type="checkbox" checked={!!form[f.key]} onChange={(e) => set(e.target.checked)} />{f.name}</label>;
        return (
          <div className="field" key={f.key}>
            <label htmlFor={id}>{f.name}</label>
            {f.type === "area" ? <textarea id={id} className="textarea" rows={4} spellCheck={false} value={text(form[f.key]) === "—" ? "" : String(form[f.key])} onChange={(e) => set(e.target.value)} />
              : <input id={id} className="input" type={f.type === "password" ? "password" : "text"} inputMode={f.type === "number" ? "numeric" : undefined} autoComplete="off" disabled={!!(f.fixed && thing)} value={String(form[f.key] ?? "")} onChange={(e) => set(f.type === "number" ? e.target.value.replace(/[^\d-]/g, "") : e.target.value)} />}
            {hint && <span className="hint">{hint}</span>}
          </div>
        );
      })}
    </Dialog>
  );
}

/* What a row holds is shown below it, and in the address. */
function Opener({ id, opened }: { id: string; opened: string }) {
  const is_open = id === opened;
  return <button className="link-button" aria-expanded={is_open} onClick={() => query_set({ open: is_open ? null : id })}><span aria-hidden="true">{is_open ? "▾" : "▸"}</span> {id}</button>;
}

function Things({ kind }: { kind: Kind }) {
  const list = useFetch<Record<string, Thing[]>>(`${V2}/${kind.path}?limit=100`);
  const may = useMay(kind.permission);
  const [edited, set_edited] = useState<Thing | "new" | null>(null);
  const [removed, set_removed] = useState<Thing | null>(null);
  const q = useQuery("q").toLowerCase();
  const opened = useQuery("open");
  const done = () => { set_edited(null); set_removed(null); list.refetch(); };
  const remove = async () => {
    try { await api_send("DELETE", `${V2}/${kind.path}/${encodeURIComponent(String(removed![kind.id]))}`); toast(`${String(removed![kind.id])} was deleted.`); done(); } catch (e) { toast_error(e); }
  };
  return (
    <>
      <PageHead title={<h1>{kind.title}</h1>} actions={may && <button className="button primary" onClick={() => set_edited("new")}>New {kind.one}</button>} />
      <div className="toolbar"><input type="search" className="input" placeholder="Filter" aria-label={`Filter ${kind.title.toLowerCase()}`} defaultValue={q} onChange={(e) => query_set({ q: e.target.value })} /></div>
      <Panel flush>
        <Loaded from={list}>
          {(data) => {
            const rows = (data[kind.list] ?? []).filter((r) => !q || JSON.stringify([r[kind.id], r.description, r.host]).toLowerCase().includes(q));
            return rows.length === 0 ? <Empty title={q ? "Nothing fits this filter." : `No ${kind.title.toLowerCase()} yet.`}>{kind.empty}</Empty> : (
              <div className="scroll-x" tabIndex={0} role="group" aria-label="Table"><table className="table">
                <thead><tr>{kind.columns.map((c) => <th key={c.key} className={`${c.right ? "right" : ""}${c.phone === false ? " phone-off" : ""}`}>{c.name}</th>)}<th><span className="visually-hidden">Actions</span></th></tr></thead>
                <tbody>{rows.map((r) => [
                  <tr key={String(r[kind.id])}>
                    {kind.columns.map((c, i) => <td key={c.key} className={`${c.right ? "right num" : ""}${c.phone === false ? " phone-off muted" : ""}${i === 0 ? " strong" : ""}`}>{i === 0 && kind.detail ? <Opener id={String(r[kind.id])} opened={opened} /> : c.show ? c.show(r) : typeof r[c.key] === "number" ? count(r[c.key] as number) : text(r[c.key])}</td>)}
                    <td className="right nowrap">{may && <><button className="button small quiet" onClick={() => set_edited(r)}>Edit</button>{!kind.keep?.includes(String(r[kind.id])) && <button className="button small quiet" onClick={() => set_removed(r)}>Delete</button>}</>}</td>
                  </tr>,
                  kind.detail && opened === r[kind.id] && <tr key={`${opened} opened`}><td colSpan={kind.columns.length + 1}>{kind.detail(opened)}</td></tr>,
                ])}</tbody>
              </table></div>
            );
          }}
        </Loaded>
      </Panel>
      {edited && <Editor kind={kind} thing={edited === "new" ? null : edited} onClose={() => set_edited(null)} onDone={done} />}
      {removed && <Dialog title={`Delete ${kind.one} ${String(removed[kind.id])}`} onClose={() => set_removed(null)} footer={<><button className="button" autoFocus onClick={() => set_removed(null)}>Cancel</button><button className="button danger" onClick={() => void remove()}>Delete {kind.one}</button></>}><p>Tasks that use it will fail until it is there again.</p></Dialog>}
    </>
  );
}

interface Setting { section: string; key: string; value: string; default: string; origin: string; help: string; restart: boolean; secret: boolean }

function Settings() {
  const list = useFetch<{ settings: Setting[] }>(`${V1}/settings`);
  const q = useQuery("q").toLowerCase();
  const changed = useQuery("show") === "changed";
  return (
    <>
      <PageHead title={<h1>Settings</h1>} meta={<span>As the web server sees them, with where each comes from. They are changed in headrace.cfg or the environment.</span>} />
      <div className="toolbar"><input type="search" className="input" placeholder="Section, key or text" aria-label="Filter settings" defaultValue={q} onChange={(e) => query_set({ q: e.target.value })} /><button className="chip" aria-pressed={changed} onClick={() => query_set({ show: changed ? null : "changed" })}>Not the default</button></div>
      <Panel flush><Loaded from={list}>{(data) => {
        const rows = data.settings.filter((s) => (!q || `${s.section}.${s.key} ${s.help}`.toLowerCase().includes(q)) && (!changed || s.origin !== "default"));
        return rows.length === 0 ? <Empty title="No setting fits." /> : <div className="scroll-x" tabIndex={0} role="group" aria-label="Table"><table className="table">
          <thead><tr><th>Setting</th><th>Value</th><th className="phone-off">Default</th><th>From</th><th className="phone-off">Meaning</th></tr></thead>
          <tbody>{rows.map((s) => <tr key={`${s.section}.${s.key}`}><td className="mono">{s.section}.<wbr /><b>{s.key}</b></td><td><code className={s.origin !== "default" ? "strong" : "muted"}>{text(s.value)}</code></td><td className="phone-off"><code className="muted">{text(s.default)}</code></td><td><span className="tag origin">{s.origin.split(/(?<=__|[/:])/).flatMap((part, i) => [i ? <wbr key={i} /> : null, part])}</span></td><td className="phone-off muted setting-help">{s.help}{s.restart ? " Needs a restart." : ""}</td></tr>)}</tbody>
        </table></div>;
      }}</Loaded></Panel>
    </>
  );
}

function ImportErrors() {
  const list = useFetch<{ import_errors: ImportError[] }>(`${V1}/import_errors`);
  return (
    <>
      <PageHead title={<h1>Import errors</h1>} meta={<span>Files that could not be loaded. The last good version of their DAGs stays active.</span>} />
      <Panel flush><Loaded from={list}>{(data) => data.import_errors.length === 0 ? <Empty title="Every file is loaded." /> : <ul className="list">{data.import_errors.map((e) => <ImportErrorItem key={e.import_error_id} error={e} open />)}</ul>}</Loaded></Panel>
    </>
  );
}

export default function Admin({ params }: { params: Record<string, string> }) {
  const { kind } = params;
  const things = KINDS[kind];
  useTitle(things?.title ?? { events: "Audit log", settings: "Settings", import_errors: "Import errors" }[kind] ?? kind);
  if (things) return <Things key={kind} kind={things} />;
  if (kind === "settings") return <Settings />;
  if (kind === "import_errors") return <ImportErrors />;
  return <><PageHead title={<h1>Audit log</h1>} meta={<span>Who did what. Entries are only ever added.</span>} /><Audit /></>;
}
