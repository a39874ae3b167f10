// SPDX-License-Identifier: Apache-2.0
/* saved_views - the filters of a list that one has given names: one is picked, or the present one is saved; they are renamed,
 * deleted, and one is the default of the list. */
import { useState } from "react";
import type { ApiError } from "../lib/api.ts";
import type { Kind } from "../lib/filter_keys.ts";
import { filter_write, type Query } from "../lib/filter_text.ts";
import { is_shown, query_of, view_change, view_delete, view_make, views_of, type View, type Views } from "../lib/views.ts";
import { Dialog, Empty, ErrorBox, Icon, ICON, Menu, toast, toast_error } from "./basics.tsx";

interface Props { kind: Kind; query: Query; views: Views; show: (query: Query) => void }

function SaveDialog({ kind, query, known, changed, onClose, onSaved }: { kind: Kind; query: Query; known: View[]; changed: () => void; onClose: () => void; onSaved: () => void }) {
  const [name, set_name] = useState("");
  const [is_default, set_default] = useState(false);
  const [error, set_error] = useState<ApiError | null>(null);
  const there = known.find((v) => v.name === name.trim());
  const submit = async () => {
    try {
      const view = there ? await view_change(there, { query }) : await view_make(kind, name.trim(), query);
      if (is_default) await view_change(view, { is_default });
      onSaved();
    } catch (e) {
      changed(); // a part may be done
      set_error(e as ApiError);
    }
  };
  return (
    <Dialog title="Save this filter" onClose={onClose} footer={<><button className="button" onClick={onClose}>Cancel</button><button className="button primary" disabled={!name.trim()} onClick={() => void submit()}>{there ? `Replace ${there.name}` : "Save view"}</button></>}>
      {error && <ErrorBox error={error} />}
      <p className="mono">{filter_write(kind, query)}</p>
      <div className="field"><label htmlFor="view-name">Name</label><input id="view-name" className="input" autoFocus autoComplete="off" maxLength={100} value={name} onChange={(e) => set_name(e.target.value)} onKeyDown={(e) => e.key === "Enter" && name.trim() && void submit()} /></div>
      <label className="check"><input type="checkbox" checked={is_default} onChange={(e) => set_default(e.target.checked)} /><span>Show it whenever I open this list</span></label>
    </Dialog>
  );
}

function Row({ view, changed }: { view: View; changed: () => void }) {
  const [name, set_name] = useState(view.name);
  const done = (doing: Promise<unknown>) => doing.then(changed, toast_error);
  const again = async () => {
    const made = await view_make(view.page, view.name, query_of(view));
    if (view.is_default) await view_change(made, { is_default: true });
  };
  const remove = () => done(view_delete(view).then(() => toast(`${view.name} was deleted.`, { undo: () => void done(again()) })));
  const is_other = name.trim() !== "" && name.trim() !== view.name;
  return (
    <tr>
      <td><input className="input" aria-label={`Name of ${view.name}`} maxLength={100} value={name} onChange={(e) => set_name(e.target.value)} onKeyDown={(e) => e.key === "Enter" && is_other && void done(view_change(view, { name: name.trim() }))} /><div className="mono muted note-cell">{filter_write(view.page, query_of(view))}</div></td>
      <td><label className="check"><input type="checkbox" aria-label={`${view.name} is the default`} checked={view.is_default} onChange={(e) => void done(view_change(view, { is_default: e.target.checked }))} /></label></td>
      <td className="right nowrap">{is_other && <button className="button small" onClick={() => void done(view_change(view, { name: name.trim() }))}>Rename</button>}<button className="button small quiet" aria-label={`Delete ${view.name}`} onClick={() => void remove()}>Delete</button></td>
    </tr>
  );
}

function ManageDialog({ known, changed, onClose }: { known: View[]; changed: () => void; onClose: () => void }) {
  return (
    <Dialog title="My views" wide onClose={onClose} footer={<button className="button" onClick={onClose}>Close</button>}>
      {known.length === 0 ? <Empty title="No views of this list.">Filter it, then save the filter.</Empty> : (
        <table className="table"><thead><tr><th>Name</th><th>Default</th><th><span className="visually-hidden">Actions</span></th></tr></thead>
          <tbody>{known.map((v) => <Row key={`${v.id} ${v.name}`} view={v} changed={changed} />)}</tbody></table>
      )}
    </Dialog>
  );
}

export function SavedViews({ kind, query, views, show }: Props) {
  const [dialog, set_dialog] = useState<"save" | "manage" | null>(null);
  const known = views_of(views, kind);
  const shown = known.find((v) => is_shown(v, query));
  const close = () => set_dialog(null);
  return (
    <>
      <Menu name={shown ? `View: ${shown.name}` : "Views"} className="button small" left label={<><span className="clip view-name">{shown?.name ?? "Views"}</span><Icon d={ICON.caret} /></>}>
        {known.map((v) => <button key={v.id} aria-current={v === shown || undefined} data-active={v === shown} onClick={() => show(query_of(v))}><span className="clip">{v.name}</span>{v.is_default && <span className="muted">default</span>}</button>)}
        {known.length > 0 && <hr />}
        <button disabled={!!shown || Object.keys(query).length === 0} onClick={() => set_dialog("save")}>Save this filter…</button>
        <button onClick={() => set_dialog("manage")}>Manage views…</button>
      </Menu>
      {dialog === "save" && <SaveDialog kind={kind} query={query} known={known} changed={views.refetch} onClose={close} onSaved={() => { close(); views.refetch(); }} />}
      {dialog === "manage" && <ManageDialog known={known} changed={views.refetch} onClose={close} />}
    </>
  );
}
