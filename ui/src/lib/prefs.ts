// SPDX-License-Identifier: Apache-2.0
/* prefs - what one browser remembers of one person: theme, zone, density, last filters, where a graph's nodes stand. Never data of
 * the server. */
import { useSyncExternalStore } from "react";
import { PREFIX, stored } from "./stored.ts";

const listeners = new Set<() => void>();
const cache = new Map<string, unknown>();

export function pref_get<T>(key: string, fallback: T): T {
  if (!cache.has(key)) cache.set(key, stored(key));
  const value = cache.get(key);
  return value === undefined ? fallback : (value as T);
}

export function pref_set(key: string, value: unknown): void {
  cache.set(key, value);
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    /* kept for this page only */
  }
  for (const listener of listeners) listener();
}

export function pref_clear(): void {
  cache.clear();
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
  } catch {
    /* nothing was stored */
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function usePref<T>(key: string, fallback: T): [T, (value: T) => void] {
  const value = useSyncExternalStore(subscribe, () => pref_get(key, fallback));
  return [value, (next) => pref_set(key, next)];
}

export type Theme = "auto" | "light" | "dark";

export function theme_apply(theme: Theme): void {
  const dark = theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}
