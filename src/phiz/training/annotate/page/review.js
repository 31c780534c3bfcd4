// One face at a time: ask for the state, show the picture, send what was decided, show the state that comes back.

const byId = (id) => document.getElementById(id);
const KEYS = { f: "female", m: "male", s: "skip" };
let state = null;
let busy = false;

function show(next) {
  state = next;
  const left = state.total - state.decided;
  const done = state.number === null;
  byId("where").textContent = done
    ? `All ${state.total} decided, ${state.skipped} of them skipped. You can stop the command.`
    : `${state.decided} of ${state.total} decided, ${left} left`;
  byId("progress").max = Math.max(1, state.total);
  byId("progress").value = state.decided;
  byId("picture").hidden = done;
  if (!done) byId("picture").src = `/picture/${state.number}`;
  const percent = state.female.map((p) => `${Math.round(100 * p)}%`).join(", ");
  byId("said").textContent = done ? "" : `Female, say the networks: ${percent}`;
  for (const button of document.querySelectorAll("[data-decision]")) button.disabled = done;
  byId("undo").disabled = state.decided === 0;
  document.body.dataset.number = done ? "done" : String(state.number);
}

async function send(path, value) {
  if (busy) return; // a second key before the answer came would be of a face that nobody saw
  busy = true;
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(value),
    });
    const found = await answer.json();
    if (found.error) throw new Error(found.error);
    byId("problem").textContent = answer.status === 409 ? "Another window went on; this is where it is." : "";
    show(found);
  } catch (error) {
    byId("problem").textContent = `Not kept: ${error.message}. Is the command still running?`;
  } finally {
    busy = false;
  }
}

const decide = (decision) => {
  if (state && state.number !== null) send("/decide", { number: state.number, decision });
};

for (const button of document.querySelectorAll("[data-decision]")) {
  button.addEventListener("click", () => decide(button.dataset.decision));
}
byId("undo").addEventListener("click", () => send("/undo", {}));
document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key in KEYS) decide(KEYS[key]);
  else if (key === "u" && state && state.decided > 0) send("/undo", {});
});

fetch("/state")
  .then((answer) => answer.json())
  .then(show)
  .catch((error) => {
    byId("problem").textContent = `Could not ask where the work is: ${error.message}`;
  });
