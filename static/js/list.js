// A list: filters open in place, and a text that is cut shows whole under the pointer.
import { start as startDay } from "./day.js";

const panel = document.getElementById("panel");
const links = () => document.querySelectorAll("a[data-panel]");
let opener = null;

function tell() {
  for (const link of links()) link.setAttribute("aria-expanded", String(link === opener));
}

function close() {
  panel.replaceChildren();
  const link = opener;
  opener = null;
  tell();
  link?.focus();
}

async function open(link) {
  const answer = await fetch(link.href, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) {
    location.assign(link.href);
    return;
  }
  panel.innerHTML = await answer.text();
  panel.querySelectorAll("[data-day]").forEach(startDay);
  opener = link;
  tell();
  panel.querySelector(".panel-choices [aria-current], .panel-choices a, .input")?.focus();
}

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = event.target.closest("a[data-panel]");
  const closer = event.target.closest("a[data-panel-close]");
  if (!link && !(closer && opener)) return;
  event.preventDefault();
  if (closer || link === opener) close();
  else open(link);
});

panel?.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && opener) close();
});

// The menu of views closes as menus do.
const menu = document.querySelector(".list details.more");
document.addEventListener("click", ({ target }) => {
  if (menu?.open && !menu.contains(target)) menu.open = false;
});
menu?.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

document.querySelector(".table-dense")?.addEventListener("pointerover", ({ target }) => {
  const cell = target.closest("td");
  if (![cell, cell?.firstElementChild].some((box) => box && box.scrollWidth > box.clientWidth)) return;
  const text = cell.cloneNode(true);
  for (const short of text.querySelectorAll(".brief, .icon")) short.remove();
  cell.title = text.textContent.trim();
});

tell();
