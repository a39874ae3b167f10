// SPDX-License-Identifier: Apache-2.0
/* frame - what surrounds every page: the bar, the state of the stream, the zone, the theme, the person. */
import { useEffect, useState, type ReactNode } from "react";
import { api_send, clock_skew, type Me } from "../lib/api.ts";
import { useBulks } from "../lib/bulk.ts";
import { later } from "../lib/later.tsx";
import { live_retry, snapshots_forget, useLiveStatus } from "../lib/live.ts";
import { pref_clear, theme_apply, usePref, type Theme } from "../lib/prefs.ts";
import { go, Link, usePlace } from "../lib/router.tsx";
import { duration, zone_of_browser } from "../lib/time.ts";
import { Dialog, Icon, ICON, keys_handle, keys_now, Menu, Toasts, useKeys } from "./basics.tsx";
import { HeaderClock, useTick, When } from "./clock.tsx";

const load_palette = () => import("./palette.tsx");
const Palette = later(load_palette);
const BulkReports = later(() => import("./bulk_reports.tsx"));

const NAV = [
  { to: "/home", name: "Home", also: ["/"] },
  { to: "/dags", name: "DAGs", also: [] },
  { to: "/dag_runs", name: "Runs", also: [] },
  { to: "/task_instances", name: "Tasks", also: [] },
  { to: "/workers", name: "Workers", also: [] },
  { to: "/pools", name: "Pools", also: [] },
  { to: "/assets", name: "Assets", also: [] },
];
const ADMIN = [["/variables", "Variables"], ["/connections", "Connections"], ["/import_errors", "Import errors"], ["/notifications", "Notifications"], ["/events", "Audit log"], ["/settings", "Settings"], ["/security", "Users"]];

function is_current(to: string, path: string): boolean {
  return path === to || path.startsWith(to + "/") || (to === "/home" && path === "/");
}

export function Logo() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <path d="M3 11c4.3 0 4.3 3 8.7 3s4.3-3 8.6-3 4.4 3 8.7 3" fill="none" stroke="#6FC7E8" strokeWidth="2.6" strokeLinecap="round" />
      <path d="M8 28V15M24 28V15M8 21.500h16" fill="none" stroke="currentColor" strokeWidth="3" strokeLinecap="round" />
    </svg>
  );
}

function LiveButton() {
  const status = useLiveStatus();
  const now = useTick(status.retry_at !== null);
  void now;
  const word = { idle: "Idle", live: "Live", connecting: "Connecting", waiting: "Reconnecting", offline: "Offline" }[status.state];
  const left = status.retry_at ? Math.max(0, Math.ceil((status.retry_at - Date.now()) / 1000)) : null;
  return (
    <Menu name={`Stream of changes: ${word}`} className={`bar-button live-${status.state}`} label={<><span className="live-dot" /><span className="phone-off">{word}{left !== null && status.state !== "live" ? ` (${left} s)` : ""}</span></>}>
      <dl className="facts" style={{ padding: "8px 10px", width: 270 }}>
        <dt>State</dt><dd>{word}, since <When at={status.since + clock_skew()} time_only /></dd>
        {status.state === "idle" && <><dt>Why</dt><dd>This page follows no changes.</dd></>}
        <dt>Last change</dt><dd>{status.last_event ? <When at={status.last_event + clock_skew()} relative /> : "none yet"}</dd>
        <dt>Server</dt><dd>{status.version ?? "unknown"}</dd>
        <dt>Clocks</dt><dd>{Math.abs(clock_skew()) > 5000 ? `This computer is ${duration(Math.abs(clock_skew()))} ${clock_skew() > 0 ? "behind" : "ahead"}.` : "agree"}</dd>
      </dl>
      {status.state !== "live" && status.state !== "idle" && <button onClick={live_retry}>Connect now</button>}
    </Menu>
  );
}

function ZoneMenu() {
  const [zone, set_zone] = usePref("zone", "local");
  const own = zone_of_browser();
  const choices = [["local", `This computer (${own})`], ["UTC", "UTC"], ["Europe/Berlin", "Europe/Berlin"], ["Europe/London", "Europe/London"], ["America/New_York", "America/New_York"], ["America/Los_Angeles", "America/Los_Angeles"], ["Asia/Kolkata", "Asia/Kolkata"], ["Asia/Tokyo", "Asia/Tokyo"]];
  return (
    <Menu name="Time zone of all times shown" className="bar-button phone-off" label={<><HeaderClock /><Icon d={ICON.caret} size={12} /></>}>
      {choices.map(([id, name]) => <button key={id} onClick={() => set_zone(id)} aria-pressed={zone === id}>{zone === id ? "✓ " : ""}{name}</button>)}
    </Menu>
  );
}

function ThemeButton() {
  const [theme, set_theme] = usePref<Theme>("theme", "auto");
  useEffect(() => {
    theme_apply(theme);
    const query = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => theme_apply(theme);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, [theme]);
  const next: Theme = theme === "auto" ? "dark" : theme === "dark" ? "light" : "auto";
  return (
    <button className="bar-button" onClick={() => set_theme(next)} aria-label={`Theme: ${theme}. Change to ${next}.`} title={`Theme: ${theme}`}>
      <Icon d={theme === "light" ? ICON.sun : ICON.moon} />
    </button>
  );
}

async function sign_out(): Promise<void> {
  const out = await api_send<{ url: string | null }>("POST", "/auth/logout").catch(() => null);
  snapshots_forget();
  pref_clear();
  location.assign(out?.url ?? "/");
}

function KeySheet({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys on this page" onClose={onClose}>
      <dl className="facts">
        {keys_now().map((b) => [<dt key={b.key}><kbd>{b.key === " " ? "Space" : b.key}</kbd></dt>, <dd key={`${b.key}d`}>{b.what}</dd>])}
        <dt><kbd>Ctrl K</kbd></dt><dd>Search, or run a command</dd>
      </dl>
    </Dialog>
  );
}

export function Frame({ me, children }: { me: Me; children: ReactNode }) {
  const { path } = usePlace();
  const [palette, set_palette] = useState(false);
  const [sheet, set_sheet] = useState(false);
  const status = useLiveStatus();
  const bulks = useBulks();
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        set_palette((open) => !open);
      } else keys_handle(event);
    };
    addEventListener("keydown", down);
    // There when it is called: what is typed must not go to the page.
    const idle = setTimeout(() => void load_palette(), 1500);
    return () => { clearTimeout(idle); removeEventListener("keydown", down); };
  }, []);
  useKeys([
    { key: "?", what: "This list", run: () => set_sheet(true) },
    { key: "/", what: "Filter of this page, or search", run: () => { const input = document.querySelector<HTMLInputElement>("main :is(input[type=search], input[role=combobox])"); if (input) input.focus(); else set_palette(true); } },
    { key: "g h", what: "Home", run: () => go("/home") },
    { key: "g d", what: "DAGs", run: () => go("/dags") },
    { key: "g r", what: "Runs", run: () => go("/dag_runs") },
    { key: "g t", what: "Tasks", run: () => go("/task_instances") },
    { key: "g w", what: "Workers", run: () => go("/workers") },
  ]);
  const admin_open = ADMIN.some(([to]) => is_current(to, path));
  return (
    <>
      <a className="skip" href="#content" onClick={(e) => { e.preventDefault(); document.getElementById("content")?.focus(); }}>To the content</a>
      <header className="topbar">
        <Link to="/home" className="brand" aria-label="Headrace, home"><Logo /><span>{me.instance_name ?? "Headrace"}</span></Link>
        <nav aria-label="Main">
          {NAV.map((n) => <Link key={n.to} to={n.to} aria-current={is_current(n.to, path) ? "page" : undefined}>{n.name}</Link>)}
          <Menu left name="Admin" className="bar-button" label={<>{admin_open ? <b>Admin</b> : "Admin"}<Icon d={ICON.caret} size={12} /></>}>
            {ADMIN.map(([to, name]) => <Link key={to} to={to}>{name}</Link>)}
          </Menu>
        </nav>
        <span className="grow push" />
        <button className="bar-button bar-search" onClick={() => set_palette(true)} aria-label="Search or run a command"><Icon d={ICON.search} size={14} /><span className="text">Search or run…</span><kbd>Ctrl K</kbd></button>
        <LiveButton />
        <ZoneMenu />
        <ThemeButton />
        <button className="bar-button phone-off" onClick={() => set_sheet(true)} aria-label="Keys on this page">?</button>
        <Menu name={`Signed in as ${me.username}`} className="bar-button" label={<><Icon d={ICON.user} /><span className="phone-off">{me.username}</span></>}>
          <div className="muted" style={{ padding: "4px 9px" }}>{me.username} · {me.role} · Headrace {me.version}</div>
          <span className="phone-only" style={{ display: "contents" }}>{[...NAV.slice(4).map((n) => [n.to, n.name]), ...ADMIN].map(([to, name]) => <Link key={to} to={to} className="phone-only">{name}</Link>)}</span>
          <Link to="/account">My account, tokens</Link>
          <hr />
          <button onClick={() => void sign_out()}>Sign out</button>
        </Menu>
      </header>
      {status.state === "offline" && <div className="banner" role="status">No connection since <When at={status.since + clock_skew()} time_only />. What you see is from then; actions will fail until it is back.</div>}
      <main id="content" tabIndex={-1}>{children}</main>
      <nav className="bottombar" aria-label="Main, small">
        {[["/home", "Home", ICON.home], ["/dags", "DAGs", ICON.dags], ["/dag_runs", "Runs", ICON.runs], ["/workers", "Workers", ICON.worker]].map(([to, name, icon]) => (
          <Link key={to} to={to} aria-current={is_current(to, path) ? "page" : undefined}><Icon d={icon} size={20} />{name}</Link>
        ))}
        <button onClick={() => set_palette(true)}><Icon d={ICON.search} size={20} />Search</button>
      </nav>
      {palette && <Palette onClose={() => set_palette(false)} />}
      {sheet && <KeySheet onClose={() => set_sheet(false)} />}
      {bulks.length > 0 && <BulkReports bulks={bulks} />}
      <Toasts />
    </>
  );
}
