// Forms with data-submit-on-change need no button: a choice sends them.
for (const form of document.querySelectorAll("form[data-submit-on-change]")) {
  form.querySelector("[data-plain]")?.setAttribute("hidden", "");
  form.addEventListener("change", () => form.requestSubmit());
}
