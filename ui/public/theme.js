// SPDX-License-Identifier: Apache-2.0
// Before the first paint, so that a dark page never flashes white.
(function () {
  var wanted = null;
  try { wanted = JSON.parse(localStorage.getItem("headrace.theme")); } catch (e) { wanted = null; }
  var dark = wanted === "dark" || (wanted !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
