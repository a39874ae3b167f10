// SPDX-License-Identifier: Apache-2.0
import { createContext, useContext } from "react";
import type { Me } from "./api.ts";

export const MeContext = createContext<Me | null>(null);

/* Whether the role may do it at all; the server decides again on each call. */
export function useMay(permission: string): boolean {
  return useContext(MeContext)?.permissions.includes(permission) ?? false;
}
