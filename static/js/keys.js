// Keys in lists, by their place on the keyboard, so that they work on an Arabic layout too.
const FIELDS = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
const dialog = document.getElementById("keys-dialog");
const said = document.getElementById("keys-said");
const KEYS = {
  KeyJ: () => move(1),
  KeyK: () => move(-1),
  KeyO: () => open(),
  KeyX: () => choose(),
  Slash: () => search(),
};

// Looked up each time: scripts exchange parts of lists.
const rows = () => [...document.querySelectorAll("main tbody tr")].filter((row) => row.checkVisibility());
const current = () => document.activeElement.closest("main tbody tr") ?? document.querySelector("tr[data-current]");

function move(step) {
  const all = rows();
  if (!all.length) return;
  const here = all.indexOf(current());
  const next = here < 0 ? all[0] : all[here + step];
  if (!next) return tell("none");
  for (const row of all) row.toggleAttribute("data-current", row === next);
  next.tabIndex = -1;
  next.focus();
}

function open() {
  current()?.querySelector("td a[href]")?.click();
}

function choose() {
  const box = current()?.querySelector("input[name=rowid]");
  if (!box) return;
  box.click();
  tell(box.checked ? "chosen" : "released");
}

function search() {
  const boxes = [...document.querySelectorAll("#site-search, #search-page, .search input[type=search]")];
  const box = boxes.find((each) => each.checkVisibility());
  box?.focus();
  box?.select();
}

function tell(what) {
  said.textContent = "";
  requestAnimationFrame(() => (said.textContent = said.dataset[what]));
}

function actionOf(event) {
  if (event.code === "Slash" && event.shiftKey) return () => dialog.showModal();
  if (event.shiftKey) return null;
  const isOnRow = document.activeElement.matches("main tbody tr");
  return event.code === "Enter" && isOnRow ? open : KEYS[event.code];
}

document.addEventListener("keydown", (event) => {
  const isBusy = event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]");
  if (isBusy || event.ctrlKey || event.altKey || event.metaKey || event.target.closest(FIELDS)) return;
  const act = actionOf(event);
  if (!act) return;
  event.preventDefault();
  act();
});
