// SPDX-License-Identifier: Apache-2.0
import { createContext, useContext } from "react";
import { V1, type Me } from "./api.ts";
import { useFetch } from "./live.ts";

export const MeContext = createContext<Me | null>(null);

/* Whether the role may do it at all; the server decides again on each call. */
export function useMay(permission: string): boolean {
  return useContext(MeContext)?.permissions.includes(permission) ?? false;
}

interface Lifted { permissions: Record<string, string[]>; dags: Record<string, string> } // by level; the level on a DAG

/* What may be done with each DAG of a list: the grants of all of them are asked for at once, and only where there are any. */
export function useMayOnEach(): (dag: string, permission: string) => boolean {
  const me = useContext(MeContext);
  const { data } = useFetch<Lifted>(me?.grants?.length ? `${V1}/me/dags` : null);
  return (dag, permission) => (me?.permissions.includes(permission) || data?.permissions[data.dags[dag]]?.includes(permission)) ?? false;
}

/* What may be done with one DAG: a grant may give more than the role does, and is asked for only where there is one. */
export function useMayOn(dag: string): (permission: string) => boolean {
  const me = useContext(MeContext);
  const granted = useFetch<{ permissions: string[] }>(me?.grants?.length ? `${V1}/me/dags/${encodeURIComponent(dag)}` : null);
  return (permission) => (me?.permissions.includes(permission) || granted.data?.permissions.includes(permission)) ?? false;
}
