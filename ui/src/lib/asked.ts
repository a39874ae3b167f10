// SPDX-License-Identifier: Apache-2.0
/* asked - what early.ts has asked for before the application was there, each answer to be taken once by the page that wants it. */

export interface Asked {
  answer: Promise<Response>;
  read: Promise<unknown>; // its body, or undefined when it failed
  come?: Come; // once it is read: who comes then need not wait for it
}

export interface Come { response: Response; body: unknown } // of a good answer: what its JSON says, or its text

declare global {
  interface Window { headrace_asked?: Map<string, Asked> }
}

const FRESH_MS = 10_000; // since the page was opened: what nobody wanted by then is not what is wanted now

export function ask(url: string): Asked {
  const answer = fetch(url, { credentials: "same-origin", headers: { Accept: "application/json" } });
  const asked: Asked = { answer, read: answer.then(async (response) => {
    if (!response.ok) return undefined;
    const body: unknown = await (response.headers.get("Content-Type")?.startsWith("text/plain") ? response.text() : response.json());
    asked.come = { response, body };
    return body;
  }) };
  for (const promise of [answer, asked.read]) promise.catch(() => undefined); // told to who asks for it
  return asked;
}

function take(url: string): Asked | undefined {
  const all = typeof window === "undefined" || performance.now() > FRESH_MS ? undefined : window.headrace_asked;
  const asked = all?.get(url);
  all?.delete(url);
  return asked;
}

/* Undefined when it was not asked for, is taken, or is old; `body` then is that of a good answer. */
export async function take_early(url: string): Promise<{ response: Response; body: unknown } | undefined> {
  const asked = take(url);
  if (!asked) return undefined;
  return { response: await asked.answer, body: await asked.read };
}

export function forget_early(): void {
  if (typeof window !== "undefined") window.headrace_asked?.clear();
}

export function asked_early(): Promise<unknown>[] {
  return [...(window.headrace_asked?.values() ?? [])].map((asked) => asked.read);
}

/* When all that was asked early has been answered, well or not. */
export const early_answered: Promise<unknown> = typeof window === "undefined" ? Promise.resolve() : Promise.allSettled(asked_early());

/* What has come already, without waiting; undefined, and nothing taken, when there is nothing. */
export function take_come(url: string): Come | undefined {
  const has_come = typeof window !== "undefined" && window.headrace_asked?.get(url)?.come;
  return has_come ? take(url)?.come : undefined;
}
