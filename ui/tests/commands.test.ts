// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { command_of } from "../src/lib/commands.ts";

test("a verb before an object is a command, whole or begun", () => {
  expect(command_of("trigger etl_daily")).toEqual(["trigger", "etl_daily"]);
  expect(command_of("  Cl etl  daily ")).toEqual(["clear", "etl daily"]);
});

test("what says no verb, or no object, is searched for as it is", () => {
  expect(command_of("etl daily")).toEqual([null, "etl daily"]);
  expect(command_of("trigger ")).toEqual([null, "trigger"]);
  expect(command_of("p x")).toEqual([null, "p x"]);
});
