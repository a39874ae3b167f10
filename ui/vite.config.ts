// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vite";
import { earlyPlugin } from "./tools/early.ts";
import { statesCss } from "./tools/states_css.ts";

const STATES_CSS = "virtual:states.css";

export default defineConfig({
  // React's automatic JSX needs no plugin; fast refresh is not worth a dependency.
  esbuild: { jsx: "automatic" },
  plugins: [
    earlyPlugin(),
    {
      name: "headrace-states",
      resolveId: (id) => (id === STATES_CSS ? "\0" + STATES_CSS : null),
      load: (id) => (id === "\0" + STATES_CSS ? statesCss() : null),
    },
  ],
  build: {
    target: "es2022",
    cssCodeSplit: true,
    sourcemap: false,
    // Everything stays a file: the content policy allows no inline font or script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      output: {
        // A file costs a page more than these bytes of what others share.
        experimentalMinChunkSize: 6_000,
        manualChunks: (id) => (/node_modules\/(react|react-dom|scheduler)\//.test(id) ? "react" : undefined),
      },
    },
  },
  worker: { format: "es" },
  server: { proxy: { "/api": "http://127.0.0.1:8180", "/auth": "http://127.0.0.1:8180" } },
  // A machine with other work to do is slow, not wrong.
  test: { include: ["tests/**/*.test.ts"], environment: "node", testTimeout: 120_000 },
} as Parameters<typeof defineConfig>[0]);
