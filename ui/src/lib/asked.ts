// SPDX-License-Identifier: Apache-2.0
/* asked - what early.ts has asked for before the application was there, each answer to be taken once by the page that wants it. */

declare global {
  interface Window { headrace_asked?: Map<string, Promise<Response>> }
}

const FRESH_MS = 10_000; // since the page was opened: what nobody wanted by then is not what is wanted now

/* Undefined when it was not asked for, is taken, or is old. */
export async function take_early(url: string): Promise<Response | undefined> {
  const asked = typeof window === "undefined" || performance.now() > FRESH_MS ? undefined : window.headrace_asked;
  const answer = asked?.get(url);
  asked?.delete(url);
  const response = await answer;
  if (response?.status === 401) asked?.clear(); // nor are the others answered: who signs in asks anew
  return response;
}
