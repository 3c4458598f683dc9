// One press sends a form once; its button shows that it works. Coming back to the page makes it usable again.
const sent = new Set();

function buttonsOf(form) {
  return [...form.elements].filter((element) => element.type === "submit");
}

function release(form) {
  sent.delete(form);
  form.removeAttribute("aria-busy");
  for (const button of buttonsOf(form)) {
    button.disabled = false;
    button.classList.remove("is-busy");
  }
}

function hold(form, pressed) {
  sent.add(form);
  form.setAttribute("aria-busy", "true");
  const isShown = pressed && !pressed.classList.contains("visually-hidden");
  const shown = isShown ? pressed : form.querySelector(".button-primary");
  shown?.classList.add("is-busy");
  // A disabled button would take its own name and value out of what is being sent.
  setTimeout(() => buttonsOf(form).forEach((button) => (button.disabled = true)));
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === "dialog" || form.dataset.upload) return;
  if (sent.has(form)) {
    event.preventDefault();
    return;
  }
  hold(form, event.submitter);
});

window.addEventListener("pageshow", () => [...sent].forEach(release));
