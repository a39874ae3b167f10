// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { agent_name, names_of } from "../src/lib/access.ts";

test("names stand apart by blanks, commas, or both", () => {
  expect(names_of(" etl, finance.*\ntag:daily,,")).toEqual(["etl", "finance.*", "tag:daily"]);
  expect(names_of("")).toEqual([]);
});

test("a browser is named with its system, whatever else it claims to be", () => {
  expect(agent_name("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36")).toBe("Chrome on Linux");
  expect(agent_name("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36 Edg/141.0")).toBe("Edge on Windows");
  expect(agent_name("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1")).toBe("Safari on iPhone");
});

test("a program keeps its own name", () => {
  expect(agent_name("headrace-cli/0.1")).toBe("headrace-cli/0.1");
  expect(agent_name("")).toBe("unknown");
});
