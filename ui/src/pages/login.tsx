// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState, type FormEvent } from "react";
import { api_get, api_raw, ApiError } from "../lib/api.ts";
import { Dialog } from "../parts/basics.tsx";
import { Logo } from "../parts/frame.tsx";

function Form({ onDone, username }: { onDone: () => Promise<void>; username?: string }) {
  const [problem, set_problem] = useState("");
  const [busy, set_busy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    set_busy(true);
    set_problem("");
    try {
      await api_raw("/auth/login", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ username: form.get("username"), password: form.get("password") }) });
      await onDone();
    } catch (error) {
      set_problem((error as ApiError).message);
    }
    set_busy(false);
  };
  return (
    <form onSubmit={(e) => void submit(e)}>
      <div className="field">
        <label htmlFor="username">Name</label>
        <input id="username" name="username" className="input" autoComplete="username" required defaultValue={username} autoFocus={!username} />
      </div>
      <div className="field">
        <label htmlFor="password">Password</label>
        <input id="password" name="password" type="password" className="input" autoComplete="current-password" required autoFocus={!!username} aria-invalid={problem ? true : undefined} aria-describedby={problem ? "login-problem" : undefined} />
        {problem && <span className="problem" id="login-problem" role="alert">{problem}</span>}
      </div>
      <button className="button primary" disabled={busy}>{busy ? "Signing in…" : "Sign in"}</button>
    </form>
  );
}

const PROBLEMS: Record<string, string> = {
  lost: "That sign-in took too long, or was begun in another browser. Try again.",
  refused: "They know you there, but nobody has let you in here.",
  name_taken: "There is an account of your name here, and it is somebody else's.",
  too_many: "Too many tries. Wait a minute.",
  provider: "That did not work. The log of the web server says why.",
};

interface Methods { oidc: { label: string; url: string } | null }

/** Signing in at a provider, where one is configured. */
function Elsewhere() {
  const [oidc, set_oidc] = useState<Methods["oidc"]>(null);
  useEffect(() => {
    api_get<Methods>("/auth/methods").then((methods) => set_oidc(methods.oidc), () => undefined);
  }, []);
  if (!oidc) return null;
  const query = new URLSearchParams(location.search);
  const here = location.pathname === "/sign-in" ? (query.get("next") ?? "/") : location.pathname + location.search;
  const problem = query.get("problem");
  return (
    <div className="login-elsewhere">
      <a className="button" href={`${oidc.url}?next=${encodeURIComponent(here)}`}>{oidc.label}</a>
      {problem && <span className="problem" role="alert">{PROBLEMS[problem] ?? PROBLEMS.provider}</span>}
    </div>
  );
}

export function Login({ onDone, over, username }: { onDone: () => Promise<void>; over?: boolean; username?: string }) {
  useEffect(() => {
    if (!over) document.title = "Sign in · Headrace";
  }, [over]);
  // The session ended while a page was open: what is on it stays.
  if (over) return <Dialog title="Your session has ended. Sign in to go on." onClose={() => undefined}><div className="login-inline"><Form onDone={onDone} username={username} /></div></Dialog>;
  return (
    <main className="login">
      <div className="panel">
        <div className="login-head"><span className="brand"><Logo /><h1>Headrace</h1></span></div>
        <Form onDone={onDone} />
        <Elsewhere />
      </div>
    </main>
  );
}
