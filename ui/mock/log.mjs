// SPDX-License-Identifier: Apache-2.0
// Logs of the mock: made line by line, so that a million lines cost nothing until they are read.

const STEPS = ["connected to warehouse", "read 4 096 rows", "wrote partition", "\u001b[32mok\u001b[0m checksum matches", "\u001b[33mWARNING\u001b[0m slow query: 812 ms", "fetched https://files.example.org/orders/2026-11-21.json"];

const ON_ITS_WAY_MS = 1500; // from the end of a task to the last lines of its log

export function log_lines(task, attempt, now) {
  if (!attempt.start) return null;
  const long = task.id === "quality" ? 250_000 : 0;
  const seconds = ((attempt.end ?? now) - attempt.start) / 1000;
  const total = long || Math.max(3, Math.round(seconds * 6));
  const failed = attempt.state === "failed";
  const complete = attempt.end !== null && now - attempt.end > ON_ITS_WAY_MS;
  const stamp = (i) => new Date(attempt.start + Math.round((i / total) * seconds * 1000)).toISOString();
  const tail = !complete ? [] : failed
    ? ["e Traceback (most recent call last):", "e   File \"/opt/jobs/load.py\", line 88, in load", "e     row = rows[key]['id']", "e \u001b[31mKeyError: 'id'\u001b[0m", "h exit code 1 after " + seconds.toFixed(1) + " s"]
    : ["o {\"rows\": 4096, \"bytes\": 1048576}", "h exit code 0 after " + seconds.toFixed(1) + " s"];
  const head = [`h try ${attempt.try} started on ${attempt.worker} (pid ${attempt.pid})`, `o $ ./${task.name}.sh 2026-11-21`];
  const count = head.length + total + tail.length;
  const line = (i) => {
    if (i < head.length) return `${stamp(0)} ${head[i]}`;
    const j = i - head.length;
    if (j < total) return `${stamp(j)} o ${String(j + 1).padStart(6, "0")} ${STEPS[(j * 7 + task.id.length) % STEPS.length]}`;
    return `${stamp(total)} ${tail[j - total]}`;
  };
  return { count, line, complete };
}
