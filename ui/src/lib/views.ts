// SPDX-License-Identifier: Apache-2.0
/* views - filters of a list that somebody has given names; the server keeps them for each person. */
import { useEffect, useState } from "react";
import { api_send, url_of } from "./api.ts";
import type { Kind } from "./filter_keys.ts";
import { filter_of, type Query } from "./filter_text.ts";
import { useFetch, type Following } from "./live.ts";

export interface View { id: number; page: Kind; name: string; query: string; is_default: boolean }
export type Views = Following<{ views: View[] }>;

const PATH = url_of.views();

export const view_make = (page: Kind, name: string, query: Query) => api_send<View>("POST", PATH, { page, name, query: String(new URLSearchParams(query)) });
export const view_change = (view: View, change: { name?: string; query?: Query; is_default?: boolean }) => api_send<View>("PATCH", `${PATH}/${view.id}`, { ...change, ...(change.query && { query: String(new URLSearchParams(change.query)) }) });
export const view_delete = (view: View) => api_send<void>("DELETE", `${PATH}/${view.id}`);

export const useViews = (): Views => useFetch<{ views: View[] }>(PATH);
export const views_of = (views: Views, page: Kind): View[] => views.data?.views.filter((v) => v.page === page) ?? [];

/* What a view says, whatever order its parts were saved in. */
export const query_of = (view: View): Query => filter_of(view.page, new URLSearchParams(view.query));

export function is_shown(view: View, query: Query): boolean {
  const said = query_of(view);
  return Object.keys(said).length === Object.keys(query).length && Object.entries(said).every(([param, value]) => query[param] === value);
}

/* Whoever comes to a list without a filter gets the default view. True until it is known whether there is one: so nothing is
 * shown that is then replaced. Without a filter later on, all is meant. */
export function useDefaultView(page: Kind, query: Query, views: Views, show: (query: Query) => void): boolean {
  const [settled, set_settled] = useState<Kind | null>(null);
  const is_bare = Object.keys(query).length === 0;
  const is_known = views.data !== null || views.error !== null;
  useEffect(() => {
    if (settled === page || (is_bare && !is_known)) return;
    const view = is_bare && views_of(views, page).find((v) => v.is_default);
    if (view) show(query_of(view));
    set_settled(page);
  }, [settled, page, is_bare, is_known]);
  return settled !== page && is_bare;
}
