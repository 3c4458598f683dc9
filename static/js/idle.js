// Warns before a session ends because nothing happened, prolongs it on wish, and covers the page when it has ended.
import { post } from "./post.js";
import { keepTouched } from "./typed.js";

const WARN_BEFORE_SECONDS = 120;
const RETRY_SECONDS = 15;
const body = document.body;
const dialog = document.getElementById("idle-dialog");
const idleSeconds = Number(body.dataset.idleSeconds);
let heardAt = Date.now();
let timer = 0;

function look() {
  clearTimeout(timer);
  const left = idleSeconds - (Date.now() - heardAt) / 1000;
  if (left > WARN_BEFORE_SECONDS) return lookIn(left - WARN_BEFORE_SECONDS);
  // Another tab may have kept the session: nothing is left before the server has said so.
  const isOver = left <= 0;
  dialog.classList.toggle("is-over", isOver);
  for (const part of dialog.querySelectorAll("[data-idle]")) part.hidden = (part.dataset.idle === "over") !== isOver;
  if (!dialog.open) dialog.showModal();
  if (!isOver) lookIn(left);
}

function lookIn(seconds) {
  timer = setTimeout(look, seconds * 1000);
}

async function stay() {
  const answer = await post(body.dataset.stayUrl).catch(() => null);
  if (answer?.ok) {
    heardAt = Date.now();
    look();
  } else if ([400, 401].includes(answer?.status) || dialog.classList.contains("is-over")) {
    // The session is over: the page itself leads to sign-in and back, and what was typed waits.
    keepTouched();
    location.assign(location.href);
  } else {
    lookIn(RETRY_SECONDS);
  }
}

dialog.addEventListener("close", stay);
// A machine that slept, or a tab that was in the background, may have missed the time.
document.addEventListener("visibilitychange", look);
look();
