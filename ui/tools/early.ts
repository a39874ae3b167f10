// SPDX-License-Identifier: Apache-2.0
/* Makes src/early.ts a classic script of its own with a hashed name, named first in index.html: it runs before the application, which is
 * one module graph, has been read, and waits for no style sheet. The fonts are named there, too. While developing it is a module like the others. */
import { relative } from "node:path";
import { build, type Plugin, type Rollup } from "vite";
import { PAGE_MODULES } from "../src/lib/urls.ts";

const PLACE = "/early.js";

/* Of a chunk: its file, those that it imports at once, and their styles; without what index.html names. */
function files_of(bundle: Rollup.OutputBundle, name: string, out: Set<string>): Set<string> {
  const chunk = bundle[name] as Rollup.OutputChunk & { viteMetadata?: { importedCss: Set<string> } };
  if (chunk.isEntry || out.has(`/${name}`)) return out;
  out.add(`/${name}`);
  for (const css of chunk.viteMetadata?.importedCss ?? []) out.add(`/${css}`);
  for (const other of chunk.imports) files_of(bundle, other, out);
  return out;
}

function page_files(bundle: Rollup.OutputBundle): Record<string, string[]> {
  const chunks = Object.values(bundle).filter((o): o is Rollup.OutputChunk => o.type === "chunk");
  const named = new Set(chunks.filter((c) => c.isEntry).flatMap((c) => c.imports.map((name) => `/${name}`)));
  return Object.fromEntries(PAGE_MODULES.map((module) => {
    const chunk = chunks.find((c) => c.moduleIds.some((id) => relative("src", id) === `${module}.tsx`));
    if (!chunk) throw new Error(`no file is made of ${module}, which src/lib/urls.ts names`);
    return [module, [...files_of(bundle, chunk.fileName, new Set())].filter((file) => !named.has(file))];
  }));
}

async function early_code(files: Record<string, string[]>): Promise<string> {
  const made = (await build({ configFile: false, logLevel: "warn", publicDir: false, define: { __PAGE_FILES__: JSON.stringify(files) }, build: { write: false, target: "es2022", lib: { entry: "src/early.ts", formats: ["iife"], name: "early" } } })) as Rollup.RollupOutput[];
  return made[0].output[0].code;
}

/* Fonts that come with the first drawing save the second, with other widths, and the search for what stands in for them. */
function font_links(bundle: Rollup.OutputBundle): string[] {
  return Object.keys(bundle).filter((name) => name.endsWith(".woff2")).sort().map((name) => `<link rel="preload" as="font" type="font/woff2" crossorigin href="/${name}">`);
}

export function earlyPlugin(): Plugin {
  return {
    name: "headrace-early",
    enforce: "post",
    config: () => ({ define: { __PAGE_FILES__: "{}" } }),
    transformIndexHtml: { order: "post", handler: (_html, { server }) => [{ tag: "script", attrs: server ? { type: "module", src: "/src/early.ts" } : { src: PLACE }, injectTo: "head-prepend" }] },
    async generateBundle(_options, bundle) {
      const index = bundle["index.html"] as Rollup.OutputAsset;
      const file = this.getFileName(this.emitFile({ type: "asset", name: "early.js", source: await early_code(page_files(bundle)) }));
      index.source = String(index.source).replace(`<script src="${PLACE}"></script>`, [`<script src="/${file}"></script>`, ...font_links(bundle)].join("\n    "));
    },
  };
}
