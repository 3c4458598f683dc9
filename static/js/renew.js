// Renews a part of the page until the server sends it without its mark. data-renew: seconds between.
const page = location.href;

function wait(part) {
  setTimeout(() => renew(part), Number(part.dataset.renew) * 1000);
}

async function renew(part) {
  if (document.hidden || part.contains(document.activeElement)) return wait(part);
  const answer = await fetch(page, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return wait(part);
  const text = await answer.text();
  const next = new DOMParser().parseFromString(text, "text/html").querySelector("main");
  const now = document.querySelector("main");
  if (!next) return wait(part);
  now.replaceChildren(...next.childNodes);
  const following = now.querySelector("[data-renew]");
  if (following) wait(following);
}

document.querySelectorAll("[data-renew]").forEach(wait);
