// Rows of a form, added from a template and removed; without scripts the same buttons save the form.
import { start as startDay } from "./day.js";

const rowsOf = (list) => [...list.querySelectorAll(":scope > [data-row]")];
const nameOf = (row) => row.querySelector("legend").textContent.trim();

function count(list) {
  const rows = rowsOf(list);
  rows.forEach((row, place) => {
    for (const number of row.querySelectorAll("[data-row-number]")) number.textContent = place + 1;
  });
  list.querySelector("[data-row-add]").hidden = rows.length >= list.dataset.most;
}

function add(list, key) {
  const template = list.querySelector(":scope > template");
  const row = template.content.firstElementChild.cloneNode(true);
  row.innerHTML = row.innerHTML.replaceAll("-blank-", `-${key}-`);
  row.dataset.row = key;
  template.before(row);
  row.querySelectorAll("[data-day]").forEach(startDay);
  count(list);
  return row;
}

function tell(list, text, row) {
  list.querySelector("[data-rows-status]").textContent = text.replace("{row}", row);
  list.dispatchEvent(new Event("change", { bubbles: true }));
}

function press(event) {
  const list = event.currentTarget;
  const button = event.target.closest("[data-row-add], [data-row-remove]");
  if (!button) return;
  event.preventDefault();
  if ("rowAdd" in button.dataset) {
    const row = add(list, Math.max(-1, ...rowsOf(list).map((each) => each.dataset.row)) + 1);
    row.querySelector("input, select")?.focus();
    tell(list, list.dataset.added, nameOf(row));
    return;
  }
  const row = button.closest("[data-row]");
  const name = nameOf(row);
  const place = rowsOf(list).indexOf(row);
  row.remove();
  count(list);
  (rowsOf(list)[place]?.querySelector("[data-row-remove]") ?? list.querySelector("[data-row-add]")).focus();
  tell(list, list.dataset.removed, name);
}

// Adds the rows that a form had when these names were kept of it.
export function grow(form, names) {
  for (const list of form.querySelectorAll("[data-rows]")) {
    const there = rowsOf(list).map((row) => row.dataset.row);
    const kept = names.map((name) => name.startsWith(`${list.id}-`) && name.slice(list.id.length + 1).split("-")[0]);
    for (const key of new Set(kept)) if (key && !there.includes(key)) add(list, key);
  }
}

for (const list of document.querySelectorAll("[data-rows]")) list.addEventListener("click", press);
