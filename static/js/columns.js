// Columns of a list are put in order by dragging, and by their buttons without a new page; the form
// keeps the order until it is saved.
const list = document.querySelector("[data-reorder]");
const said = document.getElementById("columns-said");
const rows = () => [...list.children];

function settle(row) {
  const all = rows();
  for (const [place, each] of all.entries()) {
    each.querySelector("[value^='up:']").disabled = place === 0;
    each.querySelector("[value^='down:']").disabled = place === all.length - 1;
  }
  const place = all.indexOf(row) + 1;
  said.textContent = list.dataset.reorder.replace("{name}", row.dataset.name).replace("{place}", place).replace("{count}", all.length);
}

list.addEventListener("click", (event) => {
  const button = event.target.closest("button[name=_change]");
  if (!button) return;
  event.preventDefault();
  const row = button.closest("li");
  if (button.value.startsWith("up:")) row.previousElementSibling?.before(row);
  else row.nextElementSibling?.after(row);
  settle(row);
  (button.disabled ? row.querySelector("button[name=_change]:not(:disabled)") : button).focus();
});

list.addEventListener("pointerdown", (event) => {
  const handle = event.target.closest(".drag");
  if (!handle || event.button) return;
  event.preventDefault();
  const row = handle.closest("li");
  handle.setPointerCapture(event.pointerId);
  row.classList.add("is-dragged");

  function follow({ clientY }) {
    if (clientY < 90) scrollBy(0, -20);
    if (clientY > innerHeight - 60) scrollBy(0, 20);
    const over = rows().find((each) => {
      const { top, bottom } = each.getBoundingClientRect();
      return clientY >= top && clientY < bottom;
    });
    if (!over || over === row) return;
    // The others move, and not the row, which would lose the pointer.
    const all = rows();
    const [here, there] = [all.indexOf(row), all.indexOf(over)];
    if (there < here) row.after(...all.slice(there, here));
    else row.before(...all.slice(here + 1, there + 1));
  }

  function end() {
    handle.removeEventListener("pointermove", follow);
    for (const kind of ["pointerup", "pointercancel"]) handle.removeEventListener(kind, end);
    row.classList.remove("is-dragged");
    settle(row);
  }

  handle.addEventListener("pointermove", follow);
  for (const kind of ["pointerup", "pointercancel"]) handle.addEventListener(kind, end);
});

for (const handle of list.querySelectorAll(".drag")) handle.hidden = false;
