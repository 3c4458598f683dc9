// Scripts post with the page's form token. After signing in again in another tab the server names a fresh one.
const meta = document.querySelector('meta[name="csrf-token"]');

export const token = () => meta.content;

export function renewToken(fresh) {
  meta.content = fresh;
  for (const input of document.querySelectorAll('input[name="csrf_token"]')) input.value = fresh;
}

async function send(url, body) {
  if (body) body.set("csrf_token", token());
  const headers = { "X-CSRFToken": token(), Accept: "application/json" };
  return fetch(url, { method: "POST", body, headers });
}

export async function post(url, body) {
  const answer = await send(url, body);
  if (answer.status !== 400) return answer;
  const { token: fresh } = await answer
    .clone()
    .json()
    .catch(() => ({}));
  if (!fresh) return answer;
  renewToken(fresh);
  return send(url, body);
}
