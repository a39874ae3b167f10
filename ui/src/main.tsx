// SPDX-License-Identifier: Apache-2.0
import { createRoot } from "react-dom/client";
import "virtual:states.css";
import "./styles/base.css";
import "./styles/frame.css";
import { App } from "./app.tsx";

createRoot(document.getElementById("root")!).render(<App />);
