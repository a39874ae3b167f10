// SPDX-License-Identifier: Apache-2.0
/* trusted - the one policy by which script addresses are let through: our own built files, nothing else. */

interface Policy { createScriptURL(url: string): unknown }
declare const trustedTypes: { createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy } | undefined;

function own(url: string): string {
  const parsed = new URL(url, location.origin);
  if (parsed.origin !== location.origin || parsed.search) throw new TypeError(`not a script of ours: ${url}`);
  return parsed.href;
}

const policy: Policy | null = typeof trustedTypes === "undefined" ? null : trustedTypes.createPolicy("headrace", { createScriptURL: own });

export function script_url(url: string): string {
  return (policy ? policy.createScriptURL(url) : own(url)) as string;
}
