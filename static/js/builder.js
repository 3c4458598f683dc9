// The preview beside a draft's form follows each saved change; a press on one of its fields opens it.
import { follow } from "./conditions.js";

const DESKTOP = 1024;
const pane = document.querySelector("[data-preview]");
const frame = pane.querySelector("iframe");
const box = frame.parentElement;
const { dataset } = pane;

const inside = () => frame.contentDocument;

// A desktop's page is drawn smaller, so that all of its width is seen.
function fit() {
  const isWide = dataset.width === "full";
  const scale = isWide ? Math.min(1, box.clientWidth / DESKTOP) : 1;
  frame.style.inlineSize = isWide ? `${DESKTOP}px` : "";
  frame.style.blockSize = `${box.clientHeight / scale}px`;
  frame.style.transform = scale < 1 ? `scale(${scale})` : "";
}

function inputOf(part) {
  const input = part.closest(".field, fieldset")?.querySelector("[name]");
  return input?.name.replace(/^preview-/, "");
}

// Marks the field whose properties are open.
function mark(isNew) {
  const field = inside().querySelector(`[name="preview-${CSS.escape(dataset.chosen ?? "")}"]`)?.closest(".field");
  field?.classList.add("is-chosen");
  if (isNew && field) inside().scrollingElement.scrollTop = field.getBoundingClientRect().top - 100;
}

async function refresh() {
  const answer = await fetch(`${dataset.preview}?lang=${dataset.lang}`, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return;
  const root = inside().documentElement;
  root.lang = dataset.lang;
  root.dir = dataset.lang === "ar" ? "rtl" : "ltr";
  inside().getElementById("preview").innerHTML = await answer.text();
  start(false);
}

function start(isNew) {
  const form = inside().querySelector("[data-conditions]");
  if (form) follow(form);
  mark(isNew);
}

function open(event) {
  const name = event.target.closest && inputOf(event.target);
  const link = name && document.querySelector(`a[data-field="${CSS.escape(name)}"]`);
  if (link && name !== dataset.chosen) link.click();
}

function choose(event) {
  const button = event.target.closest("a[data-lang]");
  if (!button) return;
  event.preventDefault();
  Object.assign(dataset, { lang: button.dataset.lang, width: button.dataset.width });
  for (const each of pane.querySelectorAll("a[data-lang]")) {
    const isChosen = each === button;
    each.toggleAttribute("aria-current", isChosen);
    if (isChosen) each.setAttribute("aria-current", "true");
    each.classList.toggle("button-secondary", isChosen);
    each.classList.toggle("button-quiet", !isChosen);
  }
  fit();
  refresh();
}

function begin() {
  inside().addEventListener("click", open);
  fit();
  start(true);
}

frame.addEventListener("load", begin);
if (inside()?.getElementById("preview")) begin();
pane.addEventListener("click", choose);
addEventListener("resize", fit);
document.addEventListener("parts", refresh);
