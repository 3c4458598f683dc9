// Checks an issued PDF's receipt in the browser: the file goes nowhere. The rules are those of
// clearance/files/receipts.py. This script also runs from a saved page, so it imports nothing.
const MARK = "%clearance-receipt v1 ";
const LINE = /%clearance-receipt v1 kid=([0-9a-f]{16}) sig=([A-Za-z0-9_-]{85}[AQgw])\n$/;
// "clearance-receipt v2 " inside a certificate's signature, which is in hexadecimal digits.
const INSIDE = "636C656172616E63652D7265636569707420763220";
const LARGEST_BYTES = 64 * 1024 * 1024;
const CERTIFIED = /\/SubFilter\s*\/(?:ETSI\.CAdES|adbe\.pkcs7)\.detached/;

function decoded(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

function hexed(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The receipt that ends the file.
function atEnd(text, bytes) {
  const line = LINE.exec(text.slice(-400));
  if (!line) return null;
  const content = bytes.subarray(0, bytes.length - line[0].length);
  return { kid: line[1], signature: decoded(line[2]), content };
}

// The receipt inside a certificate's signature; none if there are two.
function inside(text, bytes) {
  const found = [...text.matchAll(new RegExp(`${INSIDE}([0-9A-F]{16})([0-9A-F]{128})`, "g"))];
  if (found.length !== 1) return null;
  const [{ index, 0: whole, 1: kid, 2: digits }] = found;
  const content = bytes.slice();
  content.fill("0".charCodeAt(0), index + whole.length - digits.length, index + whole.length);
  const signature = Uint8Array.from(digits.match(/../g), (pair) => parseInt(pair, 16));
  return { kid: kid.toLowerCase(), signature, content };
}

async function judge(bytes, keys) {
  // One letter a byte, so that places in the text are places in the file.
  const text = new TextDecoder("iso-8859-1").decode(bytes);
  const receipt = atEnd(text, bytes) ?? inside(text, bytes);
  if (!receipt) {
    if (text.includes(MARK) || text.includes(INSIDE)) return "changed";
    return CERTIFIED.test(text) ? "certified" : "none";
  }
  const key = keys.find((each) => each.kid === receipt.kid);
  if (!key) return "other";
  const way = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const { kty, crv, x, y } = key;
  const known = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, way, false, ["verify"]);
  const right = await crypto.subtle.verify(way, known, receipt.signature, receipt.content);
  if (!right) return "changed";
  if (key.withdrawn) return "withdrawn";
  return key.current ? "genuine" : "former";
}

async function judged(file, keys) {
  if (file.size > LARGEST_BYTES) return ["none", null];
  const bytes = new Uint8Array(await file.arrayBuffer());
  const state = await judge(bytes, keys);
  return [state, hexed(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)))];
}

// digest: the file's, by which the portal says whether it issued it.
function show(box, state, digest = null) {
  const shown = box.querySelector(`template[data-state="${state}"]`).content.cloneNode(true);
  const question = shown.querySelector("[data-receipt-ask]");
  if (digest) question?.setAttribute("href", `${question.dataset.receiptAsk}/${digest}`);
  else shown.querySelector("[data-receipt-question]")?.remove();
  box.querySelector("[data-receipt-result]").replaceChildren(shown);
}

for (const box of document.querySelectorAll("[data-receipt]")) {
  const keys = JSON.parse(box.dataset.receipt);
  box.querySelector("[data-receipt-form]").hidden = false;
  if (!globalThis.crypto?.subtle) show(box, "unsupported");
  box.querySelector("input[type=file]").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    box.querySelector("[data-receipt-result]").replaceChildren();
    const [state, digest] = await judged(file, keys).catch(() => ["unsupported", null]);
    if (event.target.files[0] === file) show(box, state, digest);  // not of one chosen before
  });
}
