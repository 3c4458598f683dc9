// The tab of the page at hand is in sight where its row is longer than the screen.
for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
  const row = tab.closest(".tabs");
  const [here, whole] = [tab.getBoundingClientRect(), row.getBoundingClientRect()];
  row.scrollBy({ left: here.left + here.width / 2 - whole.left - whole.width / 2 });
}
