// A value of a condition is suggested from the answers that its field offers; any other can be typed.
function suggest(row) {
  const list = `answers-${row.querySelector("select").value}`;
  row.querySelector("input").setAttribute("list", document.getElementById(list) ? list : "");
}

for (const row of document.querySelectorAll("[data-suggests]")) {
  row.addEventListener("change", () => suggest(row));
  suggest(row);
}
