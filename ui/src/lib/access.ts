// SPDX-License-Identifier: Apache-2.0

/* "etl, finance.*" -> ["etl", "finance.*"] */
export function names_of(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

const BROWSERS: [RegExp, string][] = [[/Edg\//, "Edge"], [/OPR\//, "Opera"], [/Firefox\//, "Firefox"], [/Chrome\//, "Chrome"], [/Safari\//, "Safari"]];

/* "Mozilla/5.0 (X11; Linux x86_64) ... Chrome/141.0 Safari/537.36" -> "Chrome on Linux". What is not known stays as it is. */
export function agent_name(agent: string): string {
  const browser = BROWSERS.find(([mark]) => mark.test(agent))?.[1];
  const system = /Android|iPhone|iPad|Windows|Mac OS|Linux/.exec(agent)?.[0];
  if (!browser) return agent || "unknown";
  return system ? `${browser} on ${system}` : browser;
}
