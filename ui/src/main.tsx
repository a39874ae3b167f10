// SPDX-License-Identifier: Apache-2.0
import { createRoot } from "react-dom/client";
import "virtual:states.css";
import "./styles/base.css";
import "./styles/frame.css";
import { App, page_come } from "./app.tsx";
import { asked_early } from "./lib/asked.ts";

const PATIENCE_MS = 60;

// With its page and what that shows, when they are there in a moment: drawing what is then replaced would take as long.
void Promise.race([Promise.allSettled([page_come, ...asked_early()]), new Promise((done) => setTimeout(done, PATIENCE_MS))])
  .then(() => createRoot(document.getElementById("root")!).render(<App />));
