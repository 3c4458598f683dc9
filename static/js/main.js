// Starts what the page at hand needs. Every text comes from the page; without scripts every page still works.
import "./menu.js";
import "./submit.js";
import "./confirm.js";

const NEEDS = {
  "[data-autosave]": "./autosave.js",
  "[data-reader]": "./typed.js",
  "[data-upload]": "./upload.js",
  "[data-captcha]": "./captcha.js",
  "[data-shows]": "./shows.js",
  "[data-conditions]": "./conditions.js",
  "[data-bulk-bar]": "./bulk.js",
  ".table-dense, [data-panel]": "./list.js",
  "[data-countdown]": "./countdown.js",
  "[data-idle-seconds]": "./idle.js",
  "[data-submit-on-change]": "./change.js",
  "[data-reveal], [data-rules]": "./password.js",
  "img[data-picture], [data-upload]": "./pictures.js",
  "[data-copies], [data-prints]": "./copies.js",
  "[data-day]": "./day.js",
  "[data-renew]": "./renew.js",
  "[data-rows]": "./rows.js",
  ".tabs [aria-current]": "./tabs.js",
  "template.by-script": "./filter.js",
  "[data-move]": "./order.js",
  "[data-reorder]": "./columns.js",
  "[data-keys]": "./keys.js",
  "[data-receipt]": "./receipt.js",
  "[data-preview]": "./builder.js",
  "[data-suggests]": "./suggests.js",
  "img[data-sample]": "./samples.js",
  "[data-several-choice], [data-several-grid]": "./several.js",
};

const needed = Object.entries(NEEDS).filter(([selector]) => document.querySelector(selector));
const loaded = Promise.allSettled(needed.map(([, module]) => import(module)));

function isTouched(field) {
  if (field.form?.matches("[data-submit-on-change]")) return false;
  if (field.files) return field.files.length > 0;
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (!field.options) return field.value !== field.defaultValue;
  const options = [...field.options];
  // Where the page chooses no option of a list, its first one is shown.
  if (!field.multiple && !options.some((option) => option.defaultSelected)) return field.selectedIndex > 0;
  return options.some((option) => option.selected !== option.defaultSelected);
}

// What was typed or chosen while the scripts were on their way is told to them.
loaded.then(() => {
  const fields = [...document.querySelectorAll("main :is(input, select, textarea)")];
  for (const field of fields.filter(isTouched)) {
    for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
  }
});

document.querySelector("[data-error-summary]")?.focus();
