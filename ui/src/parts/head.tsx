// SPDX-License-Identifier: Apache-2.0
import { useEffect, type ReactNode } from "react";
import { state_of } from "../states.ts";
import { Link } from "../lib/router.tsx";

const MARK: Record<string, string> = { success: "✓", failed: "✕", running: "▶", queued: "…", upstream_failed: "⊘", up_for_retry: "↻" };

/* The window's title and icon tell the state, so that a tab in the background can be watched. */
export function useTitle(title: string, state?: string | null): void {
  useEffect(() => {
    document.title = `${state && MARK[state] ? MARK[state] + " " : ""}${title} · Headrace`;
    const link = document.querySelector<HTMLLinkElement>("link[rel=icon]");
    if (!link) return;
    const s = state ? state_of(state) : null;
    link.href = s
      ? `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="${s.light}"/><path d="${s.glyph}" transform="translate(2 2)" fill="none" stroke="#fff" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/></svg>`)}`
      : "/favicon.svg";
    return () => { link.href = "/favicon.svg"; };
  }, [title, state]);
}

export function PageHead({ crumbs, title, actions, meta }: { crumbs?: [string, string][]; title: ReactNode; actions?: ReactNode; meta?: ReactNode }) {
  return (
    <div className="page-head">
      {crumbs && crumbs.length > 0 && (
        <nav className="crumbs" aria-label="Path">
          {crumbs.map(([name, to], i) => <span key={to} className="row tight">{i > 0 && <span aria-hidden="true">/</span>}<Link to={to}>{name}</Link></span>)}
        </nav>
      )}
      <div className="title-row">
        {title}
        {actions && <div className="actions">{actions}</div>}
      </div>
      {meta && <div className="meta">{meta}</div>}
    </div>
  );
}
