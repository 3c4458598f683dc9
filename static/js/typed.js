// What was typed waits in this tab when the session ends, and is put back for the same person after signing in.
const LEFT_OUT = new Set(["csrf_token", "captcha", "captcha_ref"]);
const { reader } = document.body.dataset;
const here = location.pathname + location.search;
let touched = null;

const keyOf = (page) => `typed ${reader} ${page}`;
const pathOf = (form) => new URL(form.getAttribute("action") || location.href, location.href).pathname;

function isSecret(form, name) {
  const field = form.elements.namedItem(name);
  return LEFT_OUT.has(name) || field?.type === "password" || field?.autocomplete === "one-time-code";
}

export function keep(form, page = here) {
  const pairs = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !isSecret(form, name));
  sessionStorage.setItem(keyOf(page), JSON.stringify({ path: pathOf(form), pairs }));
}

export function keepTouched(refused = null) {
  const form = touched ?? refused;
  if (form) keep(form);
}

export function forget(page = here) {
  sessionStorage.removeItem(keyOf(page));
}

function fill(form, pairs) {
  const values = new Map();
  for (const [name, value] of pairs) values.set(name, [...(values.get(name) ?? []), value]);
  for (const field of form.elements) {
    const given = values.get(field.name);
    if (field.type === "checkbox" || field.type === "radio") field.checked = given?.includes(field.value) ?? false;
    else if (field.type === "select-multiple") for (const option of field.options) option.selected = given?.includes(option.value);
    else if (given?.length && field.type !== "file" && field.type !== "submit") field.value = given.shift();
  }
}

async function putBack() {
  const kept = JSON.parse(sessionStorage.getItem(keyOf(here)));
  const form = kept && [...document.forms].find((each) => each.method === "post" && pathOf(each) === kept.path);
  if (!form) return;
  forget();
  if (form.querySelector("[data-rows]")) (await import("./rows.js")).grow(form, kept.pairs.map(([name]) => name));
  fill(form, kept.pairs);
  touched = form;
  const notice = document.getElementById("typed-notice")?.content.firstElementChild;
  if (notice) form.prepend(notice);
  for (const field of form.elements) field.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.method === "post") touched = form;
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-language]")) keepTouched(document.querySelector(".field-wrong")?.closest("form"));
});

const unsent = document.querySelector("[data-unsent]");
if (unsent) {
  keep(unsent, unsent.dataset.unsent);
  unsent.closest("[data-plain]")?.setAttribute("hidden", "");
  unsent.addEventListener("submit", () => forget(unsent.dataset.unsent));
} else {
  putBack();
}
