// SPDX-License-Identifier: Apache-2.0
/* palette - one field for every object and command; what is typed is searched on the server too. */
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { api_get, V1 } from "../lib/api.ts";
import { command_of, type Verb } from "../lib/commands.ts";
import { useMayOnEach } from "../lib/me.ts";
import type { DagList } from "../lib/model.ts";
import { pref_set } from "../lib/prefs.ts";
import { go, path_of } from "../lib/router.tsx";
import { keys_now, toast, toast_error } from "./basics.tsx";

interface Item { kind: string; label: string; dag_id: string | null; run_id: string | null; id: string }
interface Choice { label: string; hint: string; run: () => void }

const PAGES: [string, string][] = [["/home", "Home"], ["/dags", "DAGs"], ["/dags?show=failed", "DAGs whose last run failed"], ["/dag_runs", "Runs"], ["/dag_runs?state=failed", "Failed runs"], ["/dag_runs?state=running", "Running runs"], ["/task_instances", "Task instances"], ["/task_instances?state=failed", "Failed tasks"], ["/workers", "Workers"], ["/pools", "Pools"], ["/variables", "Variables"], ["/connections", "Connections"], ["/import_errors", "Import errors"], ["/events", "Audit log"], ["/settings", "Settings"], ["/security", "Users"], ["/security/grants", "Grants on DAGs"], ["/account", "My account, tokens"]];

function path_of_item(i: Item): string {
  switch (i.kind) {
    case "dag": return path_of.dag(i.id);
    case "run": return path_of.run(i.dag_id!, i.id);
    case "task": return i.run_id ? path_of.task(i.dag_id!, i.run_id, i.id) : path_of.dag_task(i.dag_id!, i.id);
    case "worker": return path_of.worker(i.id);
    default: return `/${i.kind}s?q=${encodeURIComponent(i.id)}`;
  }
}

const NAMES: Record<Verb, string> = { trigger: "Trigger", pause: "Pause", activate: "Activate", clear: "Clear" };

async function clear_last(dag: string): Promise<void> {
  const found = await api_get<DagList>(`${V1}/ui/dags?dag_id=${encodeURIComponent(dag)}&runs=1`);
  const run = found.dags[0]?.runs.id[0];
  if (run) go(`${path_of.run(dag, run)}?do=clear`);
  else toast(`${dag} has no run.`);
}

/* Only what can be chosen in a dialog first, or undone, is done from here. */
function act(verb: Verb, dag: string): void {
  if (verb === "trigger") go(`${path_of.dag(dag)}?do=trigger`);
  else if (verb === "clear") clear_last(dag).catch(toast_error);
  else void import("../pages/dags.tsx").then(({ pause_set }) => pause_set(dag, verb === "pause"));
}

const RIGHT: Record<Verb, string> = { trigger: "runs.trigger", pause: "dags.edit", activate: "dags.edit", clear: "tasks.edit" };

/* To the DAGs, and runs where it is about those, that were found and with which it may be done. */
function said_to(verb: Verb, items: Item[], may: (dag: string, permission: string) => boolean): Choice[] {
  return items.filter((i) => may(i.dag_id ?? "", RIGHT[verb])).flatMap((i) => {
    if (i.kind === "dag") return [{ label: `${NAMES[verb]} ${i.id}${verb === "clear" ? ": its last run" : ""}`, hint: "command", run: () => act(verb, i.id) }];
    if (i.kind === "run" && verb === "clear") return [{ label: `Clear ${i.dag_id} / ${i.id}`, hint: "command", run: () => go(`${path_of.run(i.dag_id!, i.id)}?do=clear`) }];
    return [];
  });
}

export default function Palette({ onClose }: { onClose: () => void }) {
  const [text, set_text] = useState("");
  const [items, set_items] = useState<Item[]>([]);
  const [at, set_at] = useState(0);
  const dialog = useRef<HTMLDialogElement>(null);
  const keys = useMemo(keys_now, []);
  const may = useMayOnEach();
  const [verb, about] = command_of(text);
  const wanted = verb ? about : text.trim();
  useEffect(() => {
    const back = document.activeElement as HTMLElement | null;
    dialog.current!.showModal();
    return () => back?.focus?.();
  }, []);
  useEffect(() => {
    if (!wanted) return set_items([]);
    const abort = new AbortController();
    const timer = setTimeout(() => void api_get<{ items: Item[] }>(`${V1}/ui/search?q=${encodeURIComponent(wanted)}`, abort.signal).then((d) => set_items(d.items)).catch(() => undefined), 90);
    return () => { clearTimeout(timer); abort.abort(); };
  }, [wanted]);
  const low = text.trim().toLowerCase();
  const theme = (name: string): Choice => ({ label: `Theme: ${name}`, hint: "setting", run: () => pref_set("theme", name) });
  const commands: Choice[] = [
    ...keys.filter((k) => k.what !== "This list" && !k.key.startsWith("g ")).map((k) => ({ label: k.what, hint: k.key, run: k.run })),
    ...PAGES.map(([to, name]) => ({ label: name, hint: "page", run: () => go(to) })), theme("light"), theme("dark"), theme("auto"),
  ].filter((c) => !low || c.label.toLowerCase().includes(low));
  const choices: Choice[] = [...(verb ? said_to(verb, items, may) : []), ...items.map((i) => ({ label: i.label, hint: i.kind === "task" ? `task of ${i.dag_id}` : i.kind, run: () => go(path_of_item(i)) })), ...commands].slice(0, 40);
  const pick = (choice: Choice | undefined) => { if (!choice) return; onClose(); setTimeout(choice.run); };
  const down = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = (at + (event.key === "ArrowDown" ? 1 : -1) + choices.length) % Math.max(1, choices.length);
      set_at(next);
      document.getElementById(`palette-${next}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") { event.preventDefault(); pick(choices[at]); }
  };
  return (
    <dialog ref={dialog} className="dialog palette" aria-label="Search or run a command" onCancel={(e) => { e.preventDefault(); onClose(); }} onMouseDown={(e) => e.target === dialog.current && onClose()} onKeyDown={down}>
      <input className="input" autoFocus placeholder="A DAG, a task, a worker, a page; trigger, pause, activate or clear a DAG" aria-label="Search" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-activedescendant={choices.length ? `palette-${at}` : undefined} value={text} onChange={(e) => { set_text(e.target.value); set_at(0); }} />
      <ul id="palette-list" role="listbox" aria-label="Found">
        {choices.map((c, i) => <li key={`${c.hint}${c.label}${i}`} id={`palette-${i}`} role="option" aria-selected={i === at} onMouseMove={() => set_at(i)} onClick={() => pick(c)}><span className="clip">{c.label}</span><span className="muted nowrap">{c.hint.length <= 2 ? <kbd>{c.hint}</kbd> : c.hint}</span></li>)}
        {!choices.length && <li className="muted" role="option" aria-selected="false">Nothing found.</li>}
      </ul>
    </dialog>
  );
}
