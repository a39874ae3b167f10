// SPDX-License-Identifier: Apache-2.0

/* What is said to an object in the palette: "trigger etl". */
export const VERBS = ["trigger", "pause", "activate", "clear"] as const;
export type Verb = (typeof VERBS)[number];

/* "trigger etl" -> ["trigger", "etl"]; a verb may be begun ("tri etl"), but not by one letter. What says no verb is searched
 * for as it is. */
export function command_of(text: string): [Verb | null, string] {
  const words = text.trim().split(/\s+/);
  const verb = words.length > 1 && words[0].length > 1 ? VERBS.find((v) => v.startsWith(words[0].toLowerCase())) : undefined;
  return verb ? [verb, words.slice(1).join(" ")] : [null, text.trim()];
}
