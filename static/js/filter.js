// A search box over a list: what does not match is hidden, with headings that have nothing left.
const plain = (text) => text.normalize("NFKC").toLowerCase();

document.addEventListener("input", ({ target }) => {
  const box = target.closest("[data-filter]");
  if (!box) return;
  const list = document.getElementById(box.dataset.filter);
  const rows = [...list.querySelectorAll("li")];
  const wanted = plain(target.value.trim());
  for (const row of rows) row.hidden = !plain(`${row.dataset.words} ${row.textContent}`).includes(wanted);
  for (const group of list.querySelectorAll(".order-group")) group.hidden = !group.querySelector("li:not([hidden])");
  const shown = rows.filter((row) => !row.hidden).length;
  box.querySelector("[role=status]").textContent = wanted ? box.dataset.found.replace("{shown}", shown).replace("{count}", rows.length) : "";
});

for (const each of document.querySelectorAll("template.by-script")) each.replaceWith(each.content);
