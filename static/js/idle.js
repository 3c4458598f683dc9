// Warns before a session ends because nothing happened, and prolongs it on wish.
const WARN_BEFORE_SECONDS = 120;
const body = document.body;
const dialog = document.getElementById("idle-dialog");
const token = document.querySelector('meta[name="csrf-token"]').content;
let timer = 0;

function wait() {
  clearTimeout(timer);
  const seconds = Math.max(Number(body.dataset.idleSeconds) - WARN_BEFORE_SECONDS, 30);
  timer = setTimeout(() => dialog.showModal(), seconds * 1000);
}

async function stay() {
  const answer = await fetch(body.dataset.stayUrl, {
    method: "POST",
    headers: { "X-CSRFToken": token, Accept: "application/json" },
  }).catch(() => null);
  // A session already over: the page itself leads to sign-in and back.
  if (answer?.status === 401) location.assign(location.href);
  else wait();
}

dialog.addEventListener("close", stay);
wait();
