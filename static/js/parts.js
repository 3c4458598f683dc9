// Puts the HTML that the server sent into the parts of the page with these ids.
export function replaceParts(parts = {}) {
  for (const [id, html] of Object.entries(parts)) {
    const part = document.getElementById(id);
    if (part) part.innerHTML = html;
  }
  document.dispatchEvent(new CustomEvent("parts"));
}
