// Choosing rows: all at once, and how many are chosen.
const all = document.querySelector("[data-choose-all]");
const boxes = [...document.querySelectorAll('input[name="rowid"]')];
const count = document.querySelector("[data-bulk-count]");

function tell() {
  const chosen = boxes.filter((box) => box.checked).length;
  if (count) count.textContent = String(chosen);
  if (!all) return;
  all.checked = chosen === boxes.length;
  all.indeterminate = chosen > 0 && chosen < boxes.length;
}

if (all) {
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    tell();
  });
}
for (const box of boxes) box.addEventListener("change", tell);
window.addEventListener("pageshow", tell);
tell();
