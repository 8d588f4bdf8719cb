/**
 * What a page does besides showing: it finds packages by name, opens what a link leads to, and opens all before it is
 * printed. Without it everything is there, folded up.
 */
export const SCRIPT = `
"use strict";
const field = document.querySelector("#find");
const groups = [...document.querySelectorAll("#packages details")].reverse();
const search = () => {
  const wanted = field.value.trim().toLowerCase();
  const hit = (name) => wanted !== "" && name.toLowerCase().includes(wanted);
  for (const row of document.querySelectorAll("#packages tr[data-name]")) {
    row.hidden = wanted !== "" && !hit(row.dataset.name);
  }
  for (const group of groups) {
    group.hidden = wanted !== "" && group.querySelector("tr[data-name]:not([hidden])") === null;
    if (wanted !== "") group.open = !group.hidden;
  }
  for (const map of document.querySelectorAll(".map")) {
    map.classList.toggle("searching", wanted !== "");
    for (const cell of map.querySelectorAll("rect.package")) cell.classList.toggle("found", hit(cell.dataset.name));
  }
  const found = document.querySelectorAll("#packages tr[data-name]:not([hidden])").length;
  document.querySelector("#found").textContent = wanted === "" ? "" : found + (found === 1 ? " match" : " matches");
};
const openTarget = () => {
  let target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (; target; target = target.parentElement) if (target.tagName === "DETAILS") target.open = true;
};
if (field) { field.closest(".controls").hidden = false; field.addEventListener("input", search); }
addEventListener("hashchange", openTarget);
addEventListener("beforeprint", () => { for (const group of groups) group.open = true; });
openTarget();
`;
