// SPDX-License-Identifier: Apache-2.0
/* early - the first script of a page, a file of its own and small: the theme, so that a dark page never flashes white, and the
 * first questions to the server, which are answered while the application itself is being read. */
import "./lib/asked.ts";
import type { Theme } from "./lib/prefs.ts";
import { stored } from "./lib/stored.ts";
import { first_urls, HOME_HOURS, url_of } from "./lib/urls.ts";

const wanted = (stored("theme") ?? "auto") as Theme;
document.documentElement.dataset.theme = wanted === "dark" || (wanted !== "light" && matchMedia("(prefers-color-scheme: dark)").matches) ? "dark" : "light";

const asked = (window.headrace_asked = new Map());
for (const url of [url_of.me(), ...first_urls(location.pathname, new URLSearchParams(location.search), (stored("home.hours") ?? HOME_HOURS) as number)]) {
  const answer = fetch(url, { credentials: "same-origin", headers: { Accept: "application/json" } });
  answer.catch(() => undefined); // told to who asks for it
  asked.set(url, answer);
}
