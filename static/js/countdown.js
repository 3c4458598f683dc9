// A button with data-countdown waits that many seconds and says how long.
for (const button of document.querySelectorAll("[data-countdown]")) {
  const words = button.querySelector("span");
  const label = words.textContent;
  const until = Date.now() + Number(button.dataset.countdown) * 1000;

  const tick = () => {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    if (seconds <= 0) {
      clearInterval(timer);
      button.disabled = false;
      words.textContent = label;
      return;
    }
    const wait = button.dataset.countdownText.replace("{seconds}", String(seconds));
    words.textContent = `${label} (${wait})`;
  };

  button.disabled = true;
  const timer = setInterval(tick, 1000);
  tick();
}
