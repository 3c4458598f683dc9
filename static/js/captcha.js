// Another image text without leaving the page, and its digits read out in place.
import { post } from "./post.js";

async function renew(box, button) {
  const answer = await post(button.dataset.captchaRefresh);
  if (!answer.ok) return false;
  const { ref, image_url: imageUrl, audio_url: audioUrl } = await answer.json();
  box.querySelector("[data-captcha-ref]").value = ref;
  box.querySelector("[data-captcha-image]").src = imageUrl;
  box.querySelector("[data-captcha-audio]").href = audioUrl;
  const field = box.querySelector("input.input");
  field.value = "";
  field.focus();
  return true;
}

for (const box of document.querySelectorAll("[data-captcha]")) {
  const button = box.querySelector("[data-captcha-refresh]");
  let refused = false;
  button.addEventListener("click", async (event) => {
    if (refused) return;
    event.preventDefault();
    const done = await renew(box, button).catch(() => false);
    if (done) return;
    // The page itself can still give another image, and says why if it can't.
    refused = true;
    button.click();
  });

  const listen = box.querySelector("[data-captcha-audio]");
  listen.addEventListener("click", (event) => {
    event.preventDefault();
    new Audio(listen.href).play().catch(() => window.open(listen.href, "_blank", "noopener"));
  });
}
