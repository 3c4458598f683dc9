// Pictures of documents are made when they are asked for. One that is refused, since many are being made, is asked for
// again a little later; one that never comes gives way to words (data-failed of what is around it).
const PAUSES = [2, 4, 8, 16];

function watch(picture) {
  const address = picture.src;
  let tries = 0;

  function again() {
    const pause = PAUSES[tries++] * 1000 * (1 + Math.random() / 2);
    setTimeout(() => (picture.src = address), pause);
  }

  function giveUp() {
    const words = picture.closest("[data-failed]")?.dataset.failed;
    if (!words) return;
    const note = document.createElement("p");
    const name = document.createElement("strong");
    name.textContent = picture.alt;
    note.className = "picture-failed";
    note.append(name, words);
    (picture.closest("a") ?? picture).replaceWith(note);
  }

  picture.addEventListener("error", () => (tries < PAUSES.length ? again() : giveUp()));
  if (picture.complete && !picture.naturalWidth) again();
}

document.querySelectorAll("img[data-picture]").forEach(watch);
