// SPDX-License-Identifier: Apache-2.0
/* comparison - which two tries of a task have their logs compared, as the address names them: "?compare=2,3". */
import { later } from "../lib/later.tsx";
import type { TaskPage } from "../lib/model.ts";
import { query_set, useQuery } from "../lib/router.tsx";
import { tries_of } from "../log/compare.ts";
import { Skeleton } from "./basics.tsx";

const Compare = later(() => import("../log/compare.tsx"), <Skeleton rows={10} />);

const compare_set = (one: number, other: number) => query_set({ compare: `${Math.min(one, other)},${Math.max(one, other)}` });

/* As long as none are named, the newest two are proposed. */
export function Comparison({ page }: { page: TaskPage }) {
  const asked = useQuery("compare");
  const known = page.tries.map((t) => t.try);
  if (known.length < 2) return null;
  const chosen = tries_of(asked, known);
  const [one, other] = chosen ?? [known.at(-2)!, known.at(-1)!];
  const choice = (name: string, value: number, not: number, set: (n: number) => void) => (
    <select className="select" aria-label={name} value={value} onChange={(e) => set(Number(e.target.value))}>{known.map((n) => <option key={n} value={n} disabled={n === not}>try {n}</option>)}</select>
  );
  return (
    <>
      <div className="toolbar" role="group" aria-label="Compare the logs of two tries">
        <span>Compare the log of</span>{choice("One try", one, other, (n) => compare_set(n, other))}<span>with that of</span>{choice("The other try", other, one, (n) => compare_set(one, n))}
        {asked ? <button className="button small quiet" onClick={() => query_set({ compare: null })}>Close</button> : <button className="button small" onClick={() => compare_set(one, other)}>Compare</button>}
      </div>
      {asked && !chosen && <div className="note bad" role="alert">“{asked}” does not name two of its tries: there are {known.join(", ")}. Choose two of them above.</div>}
      {chosen && <Compare key={chosen.join()} page={page} tries={chosen} />}
    </>
  );
}
