// SPDX-License-Identifier: Apache-2.0
/* Makes src/early.ts a classic script of its own with a hashed name, named first in index.html: it runs before the application, which is
 * one module graph, has been read, and waits for no style sheet. While developing it is a module like the others. */
import { build, type Plugin, type Rollup } from "vite";

const PLACE = "/early.js";

async function early_code(): Promise<string> {
  const made = (await build({ configFile: false, logLevel: "warn", publicDir: false, build: { write: false, target: "es2022", lib: { entry: "src/early.ts", formats: ["iife"], name: "early" } } })) as Rollup.RollupOutput[];
  return made[0].output[0].code;
}

export function earlyPlugin(): Plugin {
  return {
    name: "headrace-early",
    enforce: "post",
    transformIndexHtml: { order: "post", handler: (_html, { server }) => [{ tag: "script", attrs: server ? { type: "module", src: "/src/early.ts" } : { src: PLACE }, injectTo: "head-prepend" }] },
    async generateBundle(_options, bundle) {
      const index = bundle["index.html"] as Rollup.OutputAsset;
      const file = this.getFileName(this.emitFile({ type: "asset", name: "early.js", source: await early_code() }));
      index.source = String(index.source).replace(PLACE, `/${file}`);
    },
  };
}
