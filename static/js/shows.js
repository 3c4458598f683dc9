// Parts with data-shows="field=value|value" are shown for that choice only; hidden ones send nothing.
function chosen(form, name) {
  return new FormData(form).get(name) ?? "";
}

function update(form, parts) {
  for (const part of parts) {
    const [name, values = ""] = part.dataset.shows.split("=");
    const isShown = values.split("|").includes(chosen(form, name));
    part.hidden = !isShown;
    for (const control of part.querySelectorAll("input, select, textarea, button")) {
      control.disabled = !isShown;
    }
  }
}

for (const form of document.forms) {
  const parts = [...form.querySelectorAll("[data-shows]")];
  if (!parts.length) continue;
  form.addEventListener("change", () => {
    // Twice, for a choice inside a part that is itself shown for another.
    update(form, parts);
    update(form, parts);
  });
  update(form, parts);
  update(form, parts);
}
