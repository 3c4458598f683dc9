// Checks an issued PDF's receipt in the browser: the file goes nowhere. The rules are those of
// clearance/files/receipts.py. This script also runs from a saved page, so it imports nothing.
const MARK = "%clearance-receipt v1 ";
const LINE = /%clearance-receipt v1 kid=([0-9a-f]{16}) sig=([A-Za-z0-9_-]{86})\n$/;
const CERTIFIED = /\/SubFilter\s*\/(?:ETSI\.CAdES|adbe\.pkcs7)\.detached/;

function decoded(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

async function judge(bytes, keys) {
  // One letter a byte, so that places in the text are places in the file.
  const text = new TextDecoder("iso-8859-1").decode(bytes);
  const line = LINE.exec(text.slice(-400));
  if (!line) return text.includes(MARK) ? "changed" : CERTIFIED.test(text) ? "certified" : "none";
  const key = keys.find((each) => each.kid === line[1]);
  if (!key) return "other";
  const way = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const { kty, crv, x, y } = key;
  const known = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, way, false, ["verify"]);
  const content = bytes.subarray(0, bytes.length - line[0].length);
  const right = await crypto.subtle.verify(way, known, decoded(line[2]), content);
  if (!right) return "changed";
  return key.current ? "genuine" : "former";
}

function show(box, state) {
  const found = box.querySelector(`template[data-state="${state}"]`);
  box.querySelector("[data-receipt-result]").replaceChildren(found.content.cloneNode(true));
}

for (const box of document.querySelectorAll("[data-receipt]")) {
  const keys = JSON.parse(box.dataset.receipt);
  box.querySelector("[data-receipt-form]").hidden = false;
  if (!globalThis.crypto?.subtle) show(box, "unsupported");
  box.querySelector("input[type=file]").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    const bytes = new Uint8Array(await file.arrayBuffer());
    show(box, await judge(bytes, keys).catch(() => "unsupported"));
  });
}
