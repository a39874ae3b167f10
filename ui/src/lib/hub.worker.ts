// SPDX-License-Identifier: Apache-2.0
import { Hub, type ToHub } from "./hub.ts";

const hub = new Hub("/api/headrace/v1/stream");
let ports = 0;

(self as unknown as SharedWorkerGlobalScope).onconnect = (event) => {
  const port = event.ports[0];
  const id = ++ports;
  hub.join(id, (message) => port.postMessage(message));
  port.onmessage = (message: MessageEvent<ToHub>) => hub.receive(id, message.data);
};
