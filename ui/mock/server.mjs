// SPDX-License-Identifier: Apache-2.0
// A server that answers as docs/api/ui.md says, from a made-up world. For building and testing the UI without the rest.
// node mock/server.mjs [--port N] [--still] [--pace MS]   user admin, password headrace
import { createServer } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { pages } from "./pages.mjs";
import { access } from "./access.mjs";
import { actions } from "./actions.mjs";
import { bulk } from "./bulk.mjs";
import { World } from "./world.mjs";

const option = (name, fallback) => { const i = process.argv.indexOf(name); return i < 0 ? fallback : process.argv[i + 1]; };
const pace_ms = Number(option("--pace", 350));
const world = new World({ still: process.argv.includes("--still"), pace_ms });
const dist = join(fileURLToPath(new URL(".", import.meta.url)), "..", "dist");
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types headrace";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2" };
const CSRF = "csrf-of-the-mock";
const streams = new Set();
let requests = 0;

function json(res, status, body, headers = {}) {
  const text = body === undefined ? "" : JSON.stringify(body);
  res.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store", "X-Request-Id": `m${++requests}`, ...headers });
  res.end(text);
}

function body_of(req) {
  return new Promise((resolve) => {
    let text = "";
    req.on("data", (d) => (text += d));
    req.on("end", () => { try { resolve(text ? JSON.parse(text) : {}); } catch { resolve(null); } });
  });
}

function file(req, res, path) {
  let name = join(dist, normalize(path).replace(/^(\.\.[/\\])+/, ""));
  if (path === "/" || !existsSync(name) || !extname(name)) name = join(dist, "index.html");
  const headers = { "Content-Type": TYPES[extname(name)] ?? "application/octet-stream", "Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-cache", Vary: "Accept-Encoding" };
  for (const [code, end] of [["br", ".br"], ["gzip", ".gz"]]) {
    if (!(req.headers["accept-encoding"] ?? "").includes(code) || !existsSync(name + end)) continue;
    headers["Content-Encoding"] = code;
    name += end;
    break;
  }
  res.writeHead(200, headers);
  res.end(readFileSync(name));
}

function wants(topics, event) {
  const c = event.data.c ?? [];
  return topics.some((topic) => {
    const [kind, rest = ""] = [topic.split(":")[0], topic.slice(topic.indexOf(":") + 1)];
    const ids = rest.split("/").map(decodeURIComponent);
    if (event.name === "workers") return kind === "workers" || kind === "home";
    if (event.name === "dag") return kind === "dags" || kind === "home" || (kind === "dag" && event.data.dags.includes(ids[0])) || (kind === "run" && event.data.dags.includes(ids[0]));
    if (kind === "home" || kind === "dags") return event.name === "run";
    if (kind === "dag") return c.some((row) => row[0] === ids[0]);
    if (kind === "run") return c.some((row) => row[0] === ids[0] && row[1] === ids[1]);
    return false;
  });
}

function stream(req, res, query) {
  const topics = (query.get("topics") ?? "").split(",").filter(Boolean);
  const after = Number(req.headers["last-event-id"] ?? query.get("after") ?? NaN);
  res.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  const write = (name, data, id) => res.write(`${id === undefined ? "" : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  const listener = (event) => wants(topics, event) && write(event.name, event.data, event.seq);
  write("hello", { seq: world.seq, now: world.now(), version: "0.1.0" });
  if (!Number.isNaN(after)) {
    if (after < world.events[0]?.seq - 1 || after > world.seq) write("reset", { seq: world.seq, now: world.now() });
    else for (const event of world.events) if (event.seq > after) listener(event);
  }
  world.listeners.add(listener);
  const log_topics = topics.filter((t) => t.startsWith("log:")).map((t) => t.slice(4));
  const logs = new Map();
  const timer = setInterval(() => {
    for (const topic of log_topics) {
      const log = pages.log_of(world, topic.split("/").map(decodeURIComponent));
      if (log && logs.get(topic) !== `${log.count}${log.complete}`) { logs.set(topic, `${log.count}${log.complete}`); write("log", { now: world.now(), log: topic, lines: log.count, bytes: log.count * 40, complete: log.complete }); }
    }
  }, 250);
  const ping = setInterval(() => res.write(": ping\n\n"), 10_000);
  streams.add(res);
  req.on("close", () => { world.listeners.delete(listener); clearInterval(timer); clearInterval(ping); streams.delete(res); });
}

const server = createServer(async (req, res) => {
  const url = new URL(req.url, "http://mock");
  const path = url.pathname;
  if (path === "/auth/login" && req.method === "POST") {
    const body = await body_of(req);
    if (body?.username !== "admin" || body?.password !== "headrace") return json(res, 401, { detail: "The name or the password is wrong." });
    return json(res, 204, undefined, { "Set-Cookie": "headrace_session=mock; Path=/; HttpOnly; SameSite=Strict" });
  }
  if (path === "/auth/logout") return json(res, 200, { url: null }, { "Set-Cookie": "headrace_session=; Path=/; Max-Age=0" });
  if (path === "/mock/drop") { for (const s of streams) s.destroy(); return json(res, 200, { dropped: true }); }
  if (path === "/mock/hold") { world.held = true; return json(res, 200, { held: true }); }
  if (path === "/mock/go") { world.held = false; return setTimeout(() => json(res, 200, { held: false }), pace_ms); } // one step later
  if (!path.startsWith("/api/")) return file(req, res, path);
  if (path === "/api/v2/monitor/health") return json(res, 200, pages.health(world));
  if (!(req.headers.cookie ?? "").includes("headrace_session=mock")) return json(res, 401, { detail: "Sign in first." });
  if (path === "/api/headrace/v1/me") return json(res, 200, { username: "admin", role: "admin", csrf: CSRF, version: "0.1.0", now: world.now(), instance_name: "Headrace", permissions: ["dags.edit", "runs.trigger", "runs.edit", "tasks.edit", "pools.edit", "variables.edit", "connections.edit", "workers.edit", "audit.read", "settings.read", "users.edit"] });
  if (path === "/api/headrace/v1/stream") return stream(req, res, url.searchParams);
  const parts = path.split("/").slice(2).map(decodeURIComponent);
  const own = parts[0] === "headrace" && ["users", "grants", "tokens", "sessions", "roles", "me"].includes(parts[2]) ? parts.slice(2) : null;
  if (req.method === "GET") {
    const found = own && access("GET", own);
    if (found) return json(res, found.status, found.body);
    const answer = pages.get(world, parts, url.searchParams);
    if (answer === null || answer === undefined) return json(res, 404, { detail: `There is no ${parts.join("/")} here.` });
    if (answer.text !== undefined) { res.writeHead(200, { "Content-Type": "text/plain; charset=utf-8", ...answer.headers }); return res.end(answer.text); }
    return json(res, answer.status ?? 200, answer.body ?? answer);
  }
  if (req.headers["x-headrace-csrf"] !== CSRF) return json(res, 403, { detail: { reason: "csrf", message: "The token is missing or old. Reload the page." } });
  if (own) {
    const { status, body } = access(req.method, own, (await body_of(req)) ?? {}) ?? { status: 404, body: { detail: "There is no such address." } };
    return json(res, status, body);
  }
  if (parts.at(-1) === "bulk") return bulk(world, parts[3], url.searchParams, await body_of(req), (status, body) => json(res, status, body), res);
  const answer = actions(world, req.method, parts, await body_of(req), url.searchParams);
  return answer ? json(res, answer.status, answer.body) : json(res, 404, { detail: `There is no ${req.method} ${path}.` });
});

server.listen(Number(option("--port", 8180)), "127.0.0.1", () => console.log(`mock on http://127.0.0.1:${server.address().port}`));
