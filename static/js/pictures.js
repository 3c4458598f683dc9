// Pictures of documents are made when they are asked for. One that is refused, since many are being made, is asked for
// again a little later; one that never comes gives way to words (data-failed of what is around it).
const PAUSES = [2, 4, 8, 16];
const SELECTOR = "img[data-picture]";
const tries = new WeakMap();

function giveUp(picture) {
  const words = picture.closest("[data-failed]")?.dataset.failed;
  if (!words) return;
  const note = document.createElement("p");
  const name = document.createElement("strong");
  name.textContent = picture.alt;
  note.className = "picture-failed";
  note.append(name, words);
  (picture.closest("a") ?? picture).replaceWith(note);
}

function missed(picture) {
  const count = tries.get(picture) ?? 0;
  if (count === PAUSES.length) {
    giveUp(picture);
    return;
  }
  tries.set(picture, count + 1);
  const pause = PAUSES[count] * 1000 * (1 + Math.random() / 2);
  setTimeout(() => (picture.src = picture.src), pause);
}

// Errors of pictures do not bubble, and rows come after this has started.
document.addEventListener("error", (event) => event.target.matches?.(SELECTOR) && missed(event.target), true);
for (const picture of document.querySelectorAll(SELECTOR)) {
  if (picture.complete && !picture.naturalWidth) missed(picture);
}
