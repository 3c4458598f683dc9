// The folding main menu. Without scripts it opens by its address (#menu).
const button = document.querySelector("[data-menu-button]");
const menu = document.getElementById("menu");

function show(open) {
  menu.classList.toggle("is-shown", open);
  button.setAttribute("aria-expanded", String(open));
  if (open) menu.querySelector("a")?.focus();
}

if (button && menu) {
  button.setAttribute("role", "button");
  button.setAttribute("aria-controls", "menu");
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", (event) => {
    event.preventDefault();
    show(!menu.classList.contains("is-shown"));
  });
  button.addEventListener("keydown", (event) => {
    if (event.key === " ") {
      event.preventDefault();
      button.click();
    }
  });
  for (const closer of document.querySelectorAll("[data-menu-close]")) {
    closer.addEventListener("click", (event) => {
      event.preventDefault();
      show(false);
      button.focus();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.classList.contains("is-shown")) {
      show(false);
      button.focus();
    }
  });
}
