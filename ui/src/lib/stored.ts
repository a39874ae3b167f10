// SPDX-License-Identifier: Apache-2.0
/* stored - one thing that this browser keeps, as it was last written. Without React: early.ts is loaded before it. */

export const PREFIX = "headrace.";

/* Undefined when there is none, storage is off or holds something foreign. */
export function stored(key: string): unknown {
  try {
    const text = localStorage.getItem(PREFIX + key);
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
