// SPDX-License-Identifier: Apache-2.0
declare module "virtual:states.css";
interface SharedWorkerGlobalScope { onconnect: ((event: MessageEvent) => void) | null }
