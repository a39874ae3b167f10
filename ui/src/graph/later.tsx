// SPDX-License-Identifier: Apache-2.0
/* The graph, which is large and drawn on few pages, in files of its own. */
import { later } from "../lib/later.tsx";
import { Skeleton } from "../parts/basics.tsx";

export const Graph = later(() => import("./graph.tsx"), <Skeleton rows={8} height={26} />);
