// SPDX-License-Identifier: Apache-2.0
/* trigger - start a run by hand: a form from the DAG's params, or the same as JSON. */
import { useMemo, useState } from "react";
import { api_send, ApiError, server_now, url_of } from "../lib/api.ts";
import { useFetch } from "../lib/live.ts";
import type { DagDetails } from "../lib/model.ts";
import { pref_get, pref_set } from "../lib/prefs.ts";
import { go, path_of } from "../lib/router.tsx";
import { control_of, text_of, value_of, type Control, type Schema } from "../lib/schema_form.ts";
import { instant, instant_of_wall } from "../lib/time.ts";
import { Dialog, ErrorBox, Loaded, toast } from "./basics.tsx";
import { useZone } from "./clock.tsx";

interface Param { name: string; schema: Schema; description: string; control: Control; value: unknown }

function params_of(details: DagDetails): Param[] {
  return Object.entries(details.params ?? {}).map(([name, p]) => {
    const schema = (p?.schema ?? {}) as Schema;
    const value = p && "value" in p ? p.value : schema.default;
    return { name, schema, description: p?.description ?? schema.description ?? "", control: control_of(schema, value), value };
  });
}

function Field({ param, text, problem, onText }: { param: Param; text: string; problem?: string; onText: (text: string) => void }) {
  const id = `param-${param.name}`;
  const shared = { id, "aria-invalid": problem ? true : undefined, "aria-describedby": problem ? `${id}-problem` : param.description ? `${id}-hint` : undefined } as const;
  const label = param.schema.title ?? param.name;
  return (
    <div className="field">
      {param.control === "check" ? (
        <label className="check"><input type="checkbox" {...shared} checked={text === "true"} onChange={(e) => onText(String(e.target.checked))} />{label}</label>
      ) : <label htmlFor={id}>{label}{label !== param.name && <span className="muted mono"> {param.name}</span>}</label>}
      {param.control === "select" && <select className="select" {...shared} value={text} onChange={(e) => onText(e.target.value)}>{param.schema.enum!.map((v) => <option key={String(v)}>{String(v)}</option>)}</select>}
      {(param.control === "integer" || param.control === "number") && <input className="input num" inputMode="decimal" {...shared} value={text} onChange={(e) => onText(e.target.value)} />}
      {(param.control === "text" || param.control === "date" || param.control === "datetime") && <input className="input" type={param.control === "date" ? "date" : "text"} {...shared} value={text} onChange={(e) => onText(e.target.value)} />}
      {param.control === "json" && <textarea className="textarea" rows={2} spellCheck={false} {...shared} value={text} onChange={(e) => onText(e.target.value)} />}
      {param.description && <span className="hint" id={`${id}-hint`}>{param.description}</span>}
      {problem && <span className="problem" id={`${id}-problem`} role="alert">{problem}</span>}
    </div>
  );
}

function Form({ dag, details, conf, onClose }: { dag: string; details: DagDetails; conf?: unknown; onClose: () => void }) {
  const params = useMemo(() => params_of(details), [details]);
  const start = useMemo(() => ({ ...Object.fromEntries(params.map((p) => [p.name, p.value])), ...((conf as object) ?? {}) }) as Record<string, unknown>, [params, conf]);
  const [texts, set_texts] = useState<Record<string, string>>(() => Object.fromEntries(params.map((p) => [p.name, text_of(p.control, start[p.name])])));
  const [raw, set_raw] = useState<string | null>(params.length ? null : JSON.stringify(start, null, 2));
  const [run_id, set_run_id] = useState("");
  const [date, set_date] = useState("");
  const [note, set_note] = useState("");
  const [error, set_error] = useState<ApiError | null>(null);
  const [busy, set_busy] = useState(false);
  const [tried, set_tried] = useState(false);
  const zone = useZone();
  const read = Object.fromEntries(params.map((p) => [p.name, value_of(p.schema, p.control, texts[p.name])]));
  const problems = Object.fromEntries(Object.entries(read).flatMap(([name, r]) => ("problem" in r ? [[name, r.problem]] : []))) as Record<string, string>;
  for (const field of error?.fields ?? []) problems[field.loc[field.loc.length - 1]] ??= field.msg;
  const extra = Object.fromEntries(Object.entries(start).filter(([name]) => !params.some((p) => p.name === name)));
  const conf_now = () => ({ ...extra, ...Object.fromEntries(Object.entries(read).flatMap(([name, r]) => ("value" in r ? [[name, r.value]] : []))) });
  let raw_problem = "";
  if (raw !== null) try { JSON.parse(raw || "{}"); } catch (e) { raw_problem = (e as Error).message; }
  const logical = date ? instant_of_wall(date, zone) : null;
  const last = pref_get<unknown>(`trigger.${dag}`, null);

  const submit = async () => {
    set_tried(true);
    if (raw === null ? Object.keys(problems).length > 0 && !error : raw_problem) return;
    set_busy(true);
    try {
      const sent = raw === null ? conf_now() : JSON.parse(raw || "{}");
      const body: Record<string, unknown> = { conf: sent, logical_date: logical === null ? null : new Date(logical).toISOString() };
      if (run_id) body.dag_run_id = run_id;
      if (note) body.note = note;
      const run = await api_send<{ dag_run_id: string }>("POST", `${url_of.dag2(dag)}/dagRuns`, body);
      pref_set(`trigger.${dag}`, sent);
      toast(`Run ${run.dag_run_id} was created.`);
      onClose();
      go(path_of.run(dag, run.dag_run_id));
    } catch (e) {
      set_error(e as ApiError);
      set_busy(false);
    }
  };

  return (
    <>
      {details.is_paused && <div className="note warn">{dag} is paused. The run is created and waits until the DAG is active.</div>}
      {error && <ErrorBox error={error} />}
      {params.length > 0 && (
        <div className="row">
          <button className="chip" aria-pressed={raw === null} onClick={() => set_raw(null)}>Form</button>
          <button className="chip" aria-pressed={raw !== null} onClick={() => set_raw(JSON.stringify(conf_now(), null, 2))}>JSON</button>
          <span className="grow" />
          {last !== null && <button className="button small quiet" onClick={() => { set_texts(Object.fromEntries(params.map((p) => [p.name, text_of(p.control, (last as Record<string, unknown>)[p.name] ?? p.value)]))); if (raw !== null) set_raw(JSON.stringify(last, null, 2)); }}>Last used values</button>}
        </div>
      )}
      {raw === null
        ? params.map((p) => <Field key={p.name} param={p} text={texts[p.name]} problem={tried || texts[p.name] !== text_of(p.control, start[p.name]) ? problems[p.name] : undefined} onText={(text) => { set_error(null); set_texts({ ...texts, [p.name]: text }); }} />)
        : (
          <div className="field">
            <label htmlFor="trigger-conf">Configuration (JSON)</label>
            <textarea id="trigger-conf" className="textarea" rows={params.length ? 10 : 5} spellCheck={false} value={raw} onChange={(e) => set_raw(e.target.value)} aria-invalid={raw_problem ? true : undefined} />
            {raw_problem && <span className="problem" role="alert">{raw_problem}</span>}
          </div>
        )}
      <details>
        <summary className="muted">Run id, logical date, note</summary>
        <div className="stack tight" style={{ paddingTop: 10 }}>
          <div className="field"><label htmlFor="trigger-id">Run id</label><input id="trigger-id" className="input mono" value={run_id} placeholder="made by the server" onChange={(e) => set_run_id(e.target.value)} /></div>
          <div className="field">
            <label htmlFor="trigger-date">Logical date <span className="muted">({zone})</span></label>
            <input id="trigger-date" type="datetime-local" step="1" className="input" value={date} onChange={(e) => set_date(e.target.value)} />
            <span className="hint">{logical === null ? "None: the run has no logical date." : `${instant(logical, "UTC")} UTC`}</span>
          </div>
          <div className="field"><label htmlFor="trigger-note">Note</label><input id="trigger-note" className="input" value={note} onChange={(e) => set_note(e.target.value)} /></div>
        </div>
      </details>
      <div className="row">
        <span className="muted grow">Starts at {instant(server_now(), zone).slice(11)} {zone}.</span>
        <button className="button" onClick={onClose}>Cancel</button>
        <button className="button primary" disabled={busy} onClick={() => void submit()}>{busy ? "Creating…" : "Trigger run"}</button>
      </div>
    </>
  );
}

export function TriggerDialog({ dag, conf, onClose }: { dag: string; conf?: unknown; onClose: () => void }) {
  const details = useFetch<DagDetails>(`${url_of.dag2(dag)}/details`);
  return (
    <Dialog title={`Trigger ${dag}`} onClose={onClose}>
      <Loaded from={details} rows={4}>{(data) => <Form dag={dag} details={data} conf={conf} onClose={onClose} />}</Loaded>
    </Dialog>
  );
}
