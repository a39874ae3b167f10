// SPDX-License-Identifier: Apache-2.0
/* api - one door to the server: reads, mutations with the token against forged requests, errors as sentences. */
import { forget_early, take_come, take_early } from "./asked.ts";

export { url_of, V1, V2 } from "./urls.ts";

export interface Me {
  username: string;
  role: string;
  csrf: string;
  version: string;
  now: number;
  instance_name?: string;
  permissions: string[];
  grants?: { dags: string; level: string }[];
  has_password?: boolean;
}

export class ApiError extends Error {
  constructor(readonly status: number, message: string, readonly reason: string, readonly request_id: string, readonly fields: { loc: string[]; msg: string }[] = []) {
    super(message);
  }
}

let csrf = "";
let skew_ms = 0;
let on_signed_out: () => void = () => {};

export function api_session(token: string, signed_out: () => void): void {
  csrf = token;
  on_signed_out = signed_out;
}

/* The server's clock: durations of what runs are counted on it, whatever this computer believes. */
export function server_now(): number {
  return Date.now() + skew_ms;
}

export function server_clock(now: number): void {
  // Answers come late, never early: the smaller delay is the better estimate, so a big step is taken and a small one averaged.
  const seen = now - Date.now();
  skew_ms = Math.abs(seen - skew_ms) > 2000 ? seen : skew_ms * 0.8 + seen * 0.2;
}

export function clock_skew(): number {
  return skew_ms;
}

const SENTENCES: Record<number, string> = {
  0: "The server did not answer.",
  403: "You may not do this.",
  404: "There is no such thing here.",
  409: "It has changed in the meantime.",
  429: "Too many tries. Wait a moment.",
  503: "The server is busy or starting.",
};

async function error_of(response: Response): Promise<ApiError> {
  const id = response.headers.get("X-Request-Id") ?? "";
  let detail: unknown;
  try {
    detail = ((await response.json()) as { detail?: unknown }).detail;
  } catch {
    detail = undefined;
  }
  const fallback = SENTENCES[response.status] ?? `The server answered ${response.status}.`;
  if (typeof detail === "string") return new ApiError(response.status, detail, "", id);
  if (Array.isArray(detail)) {
    const fields = detail as { loc: string[]; msg: string }[];
    return new ApiError(response.status, fields.map((f) => `${(f.loc ?? []).slice(1).join(".")}: ${f.msg}`).join("\n") || fallback, "invalid", id, fields);
  }
  const object = (detail ?? {}) as { reason?: string; message?: string };
  return new ApiError(response.status, object.message ?? fallback, object.reason ?? "", id);
}

export async function api_raw(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...init });
  } catch (cause) {
    if ((cause as Error).name === "AbortError") throw cause;
    throw new ApiError(0, SENTENCES[0], "network", "");
  }
  return checked(path, response);
}

async function checked(path: string, response: Response): Promise<Response> {
  if (response.status === 401 && !path.startsWith("/auth/")) {
    forget_early(); // whoever signs in asks anew
    on_signed_out();
  }
  if (!response.ok && response.status !== 304) throw await error_of(response);
  return response;
}

function clocked<T>(body: T): T {
  const { now } = body as { now?: unknown };
  if (typeof now === "number") server_clock(now);
  return body;
}

export async function api_get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const early = await take_early(path).catch(() => undefined); // it did not come: perhaps it does now
  if (early) await checked(path, early.response);
  if (early?.body !== undefined) return clocked(early.body as T);
  const response = await api_raw(path, { signal, headers: { Accept: "application/json" } });
  return clocked((await response.json()) as T);
}

/* What was asked for early and is there. */
export function api_come<T>(path: string): T | null {
  const come = take_come(path);
  return come ? clocked(come.body as T) : null;
}

export async function api_send<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T> {
  const response = await api_raw(path, {
    method,
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-Headrace-CSRF": csrf },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/* Asks for something that is told line by line, in JSON. Resolves once the server has begun, to a reader of the lines. */
export async function api_lines<T>(path: string, body: unknown, signal: AbortSignal): Promise<(each: (line: T) => void) => Promise<void>> {
  const response = await api_raw(path, { method: "POST", signal, headers: { "Content-Type": "application/json", Accept: "application/x-ndjson", "X-Headrace-CSRF": csrf }, body: JSON.stringify(body) });
  return async (each) => {
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      const lines = (rest + piece.value).split("\n");
      rest = lines.pop()!;
      for (const line of lines) each(JSON.parse(line) as T);
    }
  };
}
