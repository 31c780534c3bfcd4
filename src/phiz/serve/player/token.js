// The service's token, typed once on this screen and kept in this browser.

const NAME = "phiz.signage.token";

/** The token that was typed here, or an empty text. */
export function rememberedToken() {
  try {
    return localStorage.getItem(NAME) ?? "";
  } catch {
    return ""; // storage is switched off
  }
}

/** Ask for the token; settled when it was typed. */
export function ask() {
  const form = document.getElementById("ask");
  form.hidden = false;
  document.getElementById("token").focus();
  return new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      localStorage.setItem(NAME, document.getElementById("token").value.trim());
      form.hidden = true;
      resolve();
    };
  });
}
