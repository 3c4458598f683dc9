// Buttons that copy the lines of a list, and that print the page; without scripts they are not there.
for (const button of document.querySelectorAll("[data-copies]")) {
  const lines = [...document.getElementById(button.dataset.copies).children];
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(lines.map((line) => line.textContent.trim()).join("\n"));
    button.querySelector("span").textContent = button.dataset.done;
  });
}
for (const button of document.querySelectorAll("[data-prints]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
