// Buttons with data-confirm ask in a native dialog before they send their form.
const dialog = document.getElementById("confirm-dialog");
let waiting = null;
let agreed = null;

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-confirm]");
  if (!button || !button.form || button === agreed) return;
  event.preventDefault();
  waiting = button;
  dialog.querySelector("#confirm-text").textContent = button.dataset.confirm;
  dialog.returnValue = "";
  dialog.showModal();
});

dialog?.addEventListener("close", () => {
  const button = waiting;
  waiting = null;
  if (dialog.returnValue !== "yes" || !button) return;
  agreed = button;
  button.form.requestSubmit(button);
  agreed = null;
});
