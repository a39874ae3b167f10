// SPDX-License-Identifier: Apache-2.0
/* Tells two logs apart off the page's thread. It takes their lines and gives the blocks. */
import { diff_blocks, type Block } from "../lib/diff.ts";
import { key_of } from "./compare.ts";

export interface CompareAsk { before: string[]; after: string[] }
export type CompareAnswer = Block[];

self.onmessage = ({ data }: MessageEvent<CompareAsk>) => {
  const answer: CompareAnswer = diff_blocks(data.before.map(key_of), data.after.map(key_of));
  self.postMessage(answer);
};
