// Several brokers at once: choosing all of a page, and one value for a whole column of the grid.
const choice = document.querySelector("[data-several-choice]");
const grid = document.querySelector("[data-several-grid]");

function startChoice() {
  const all = choice.querySelector("[data-choose-these]");
  const boxes = [...choice.querySelectorAll('input[name="licence"]:not(:disabled)')];
  const status = document.querySelector("[data-choose-count]");
  const words = status.textContent;

  function tell() {
    const here = boxes.filter((box) => box.checked).length;
    const count = here + Number(choice.dataset.elsewhere);
    // The first number of the sentence is the count, in both languages.
    const text = words.replace(/[0-9]+/, String(count));
    if (status.textContent !== text) status.textContent = text;
    all.checked = boxes.length > 0 && here === boxes.length;
    all.indeterminate = here > 0 && here < boxes.length;
  }

  all.hidden = false;
  all.disabled = boxes.length === 0;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    tell();
  });
  for (const box of boxes) box.addEventListener("change", tell);
  window.addEventListener("pageshow", tell);
  tell();
}

function put(target, source) {
  if (target.type === "checkbox") {
    target.checked = source.checked;
    return;
  }
  target.value = source.value;
  target.dispatchEvent(new Event("input", { bubbles: true }));
}

function startGrid() {
  const status = grid.querySelector("[data-filled-status]");

  function fill(source) {
    if (source.type !== "checkbox" && !source.value) return;
    for (const target of grid.querySelectorAll(`[data-column="${source.dataset.fills}"]`)) {
      put(target, source);
    }
    if (status) status.textContent = grid.dataset.filled;
  }

  // The change goes on to the form, which saves itself with the filled column.
  for (const source of grid.querySelectorAll("[data-fills]")) {
    source.addEventListener("change", () => fill(source));
  }
}

if (choice) startChoice();
if (grid) startGrid();
