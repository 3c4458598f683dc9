// Shows a password on wish, and ticks off what a new one needs.
const RULES = {
  length: (text) => [...text].length >= 8,
  upper: (text) => /\p{Lu}/u.test(text),
  lower: (text) => /\p{Ll}/u.test(text),
  digit: (text) => /\p{Nd}/u.test(text),
  symbol: (text) => /[^\p{L}\p{N}\s]/u.test(text),
};

for (const button of document.querySelectorAll("[data-reveal]")) {
  const field = document.getElementById(button.dataset.reveal);
  const words = button.querySelector("span");
  const showText = words.textContent;
  button.hidden = false;
  const show = (isShown) => {
    field.type = isShown ? "text" : "password";
    words.textContent = isShown ? button.dataset.hideText : showText;
  };
  button.addEventListener("click", () => show(field.type === "password"));
  field.form?.addEventListener("submit", () => show(false));
}

for (const list of document.querySelectorAll("[data-rules]")) {
  const field = document.getElementById(list.dataset.rules);
  const tick = () => {
    for (const item of list.querySelectorAll("[data-rule]")) {
      item.classList.toggle("is-met", RULES[item.dataset.rule](field.value));
    }
  };
  field.addEventListener("input", tick);
  tick();
}
