// Parts of lists are moved by their buttons, and by dragging, without a new page: the server moves
// them, and what it answers takes the place of the list. The focus stays on what was moved.
import { post } from "./post.js";

const told = document.createElement("p");
told.className = "visually-hidden";
told.setAttribute("role", "status");
document.body.append(told);

const rowOf = (handle) => handle.closest("li, tr");
const handlesIn = (list) => [...list.querySelectorAll("[data-drag]")];
const placeOf = (row) => row.querySelector("[data-drag]").dataset.place;

// Sends a form of a row, and puts the lists of the answer in the place of those of the page.
async function move(form, body, focus) {
  const place = placeOf(rowOf(form));
  const answer = await post(form.getAttribute("action"), body).catch(() => null);
  if (!answer?.ok) {
    // Signed out, or no connection: the page itself leads on.
    location.reload();
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-fresh]")) {
    const fresh = page.getElementById(part.id);
    if (fresh) part.replaceChildren(...fresh.childNodes);
  }
  told.textContent = page.querySelector(".flashes")?.textContent.trim() ?? "";
  const fault = page.querySelector(".flashes:has(.alert-danger)");
  if (fault) document.getElementById("main").prepend(fault);
  document.dispatchEvent(new CustomEvent("parts"));
  showHandles();
  const named = document.getElementById(new URL(answer.url).hash.slice(1));
  const moved = named ?? rowOf(document.querySelector(`[data-drag][data-place="${CSS.escape(place)}"]`));
  moved.querySelector(".more")?.toggleAttribute("open", Boolean(focus));
  moved.tabIndex = -1;
  (moved.querySelector(`button[value="${focus}"]:not(:disabled)`) ?? moved.querySelector("summary") ?? moved).focus();
}

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (!form.matches("[data-move]")) return;
    event.preventDefault();
    move(form, new FormData(form, event.submitter), event.submitter.value);
  },
  true,
);

// A menu of a row closes by Escape, and by a press elsewhere.
document.addEventListener("click", ({ target }) => {
  for (const menu of document.querySelectorAll(".more[open]")) if (!menu.contains(target)) menu.open = false;
});
document.addEventListener("keydown", ({ key, target }) => {
  const menu = key === "Escape" && target.closest(".more[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

function showHandles() {
  for (const handle of document.querySelectorAll("[data-drag]")) handle.hidden = false;
}

// A line shows where the row would go; where it is let go is what the server is asked for.
document.addEventListener("pointerdown", (event) => {
  const handle = event.target.closest("[data-drag]");
  if (!handle || event.button) return;
  event.preventDefault();
  const row = rowOf(handle);
  const list = row.closest("[data-fresh]");
  let over = null;
  handle.setPointerCapture(event.pointerId);
  row.classList.add("is-dragged");

  function point(target, side = "") {
    if (over) delete over.dataset.drop;
    over = target;
    if (over) over.dataset.drop = side;
  }

  function follow({ clientY }) {
    if (clientY < 90) scrollBy(0, -20);
    if (clientY > innerHeight - 60) scrollBy(0, 20);
    const target = handlesIn(list).map(rowOf).find((each) => {
      const { top, bottom } = each.getBoundingClientRect();
      return clientY >= top && clientY < bottom;
    });
    if (!target) return;
    const { top, height } = target.getBoundingClientRect();
    point(target === row ? null : target, clientY < top + height / 2 ? "before" : "after");
  }

  function end({ type }) {
    const [target, side] = [over, over?.dataset.drop];
    point(null);
    handle.removeEventListener("pointermove", follow);
    for (const kind of ["pointerup", "pointercancel"]) handle.removeEventListener(kind, end);
    row.classList.remove("is-dragged");
    if (!target || type === "pointercancel") return;
    let previous = side === "after" ? target : target.previousElementSibling;
    if (previous === row) previous = row.previousElementSibling;
    const form = row.querySelector("form[data-move]");
    const body = new FormData(form);
    for (const name of ["action", "way"]) body.set(name, "after");
    body.set("place", previous ? placeOf(previous) : (target.parentElement.closest("[data-place]")?.dataset.place ?? ":"));
    move(form, body, "");
  }

  handle.addEventListener("pointermove", follow);
  for (const kind of ["pointerup", "pointercancel"]) handle.addEventListener(kind, end);
});

showHandles();
