// Sound and desktop notices: off until somebody turns them on, from the severity they choose on, remembered by this browser.

const SEVERITIES = ["high", "medium", "low", "info"];
const REST_MS = 4000;

const table = document.getElementById("feed");
const sound = document.getElementById("sound");
const notices = document.getElementById("notices");
const loud = document.getElementById("loud");
let audio = null;
let lastAt = 0;

const kept = (name) => localStorage.getItem(`shekara.${name}`) ?? "";
const keep = (name, value) => localStorage.setItem(`shekara.${name}`, value);

function show() {
  sound.setAttribute("aria-pressed", String(kept("sound") === "on"));
  notices.setAttribute("aria-pressed", String(kept("notices") === "on" && Notification.permission === "granted"));
}

// Two short tones, the higher the severity the higher the second: heard through a headset, not across the room.
function ring(severity) {
  audio ??= new AudioContext();
  const high = { high: 988, medium: 784, low: 659, info: 587 }[severity];
  for (const [pitch, after] of [[523, 0], [high, 0.16]]) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const at = audio.currentTime + after;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.12, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.14);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.15);
  }
  document.dispatchEvent(new CustomEvent("shekara:rang", { detail: severity }));
}

// Says that an alert came, at most once every few seconds: a flood is shown by the pill, not by noise.
export function announce(row) {
  const severity = row.dataset.severity;
  if (SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(loud.value) || Date.now() - lastAt < REST_MS) return;
  lastAt = Date.now();
  if (kept("sound") === "on") ring(severity);
  if (kept("notices") === "on" && Notification.permission === "granted" && document.hidden) {
    // The rule only: a desktop is seen by whoever passes by.
    new Notification(table.dataset.notice, { body: row.querySelector("th a").textContent, tag: "shekara" });
  }
}

for (const one of [sound, notices, loud]) one.hidden = false;
if (kept("loud")) loud.value = kept("loud");
loud.addEventListener("change", () => keep("loud", loud.value));
sound.addEventListener("click", () => {
  keep("sound", kept("sound") === "on" ? "off" : "on");
  if (kept("sound") === "on") ring(loud.value);
  show();
});
notices.addEventListener("click", async () => {
  const on = kept("notices") === "on" && Notification.permission === "granted";
  if (!on && Notification.permission !== "granted") await Notification.requestPermission();
  keep("notices", !on && Notification.permission === "granted" ? "on" : "off");
  show();
});
show();
