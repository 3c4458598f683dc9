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

for (const [selector, module] of Object.entries(NEEDS)) {
  if (document.querySelector(selector)) import(module);
}

document.querySelector("[data-error-summary]")?.focus();
