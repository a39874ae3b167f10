// SPDX-License-Identifier: Apache-2.0
/* early - the first script of a page, a file of its own and small: the theme, so that a dark page never flashes white, and the
 * first questions to the server, which are answered while the application itself is being read. */
import { ask } from "./lib/asked.ts";
import type { Theme } from "./lib/prefs.ts";
import { stored } from "./lib/stored.ts";
import { first_urls, HOME_HOURS, page_files, url_of } from "./lib/urls.ts";

declare const __PAGE_FILES__: Record<string, string[]>; // tools/early.ts: of each page's module, what is to be read

const wanted = (stored("theme") ?? "auto") as Theme;
document.documentElement.dataset.theme = wanted === "dark" || (wanted !== "light" && matchMedia("(prefers-color-scheme: dark)").matches) ? "dark" : "light";

const query = new URLSearchParams(location.search);
window.headrace_asked = new Map([url_of.me(), ...first_urls(location.pathname, query, (stored("home.hours") ?? HOME_HOURS) as number)].map((url) => [url, ask(url)]));

/* The files of the page, which the application would ask for when it has been read itself. */
for (const href of page_files(__PAGE_FILES__, location.pathname)) {
  const kind = href.endsWith(".css") ? { rel: "preload", as: "style" } : { rel: "modulepreload" };
  document.head.append(Object.assign(document.createElement("link"), kind, { crossOrigin: "", href }));
}
