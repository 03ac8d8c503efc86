// The staff's sign-in page: ask the browser for a passkey and send its answer with the form.
const offer = document.getElementById("by-passkey")
const site = offer.dataset.site
const isOurs = location.hostname === site || location.hostname.endsWith("." + site)

async function usePasskey() {
  const failed = offer.querySelector("[role=alert]")
  failed.hidden = true
  try {
    const headers = {"Content-Type": "application/json"}
    const question = await fetch("/api/auth/passkey/options", {method: "POST", headers, body: "{}"})
    if (!question.ok) throw new Error(question.status)
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON((await question.json()).publicKey)
    const credential = await navigator.credentials.get({publicKey})
    const form = document.getElementById("login-form")
    form.elements.passkey.value = JSON.stringify(credential.toJSON())
    form.submit()
  } catch (error) {
    failed.hidden = false
  }
}

if (isOurs && window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  offer.hidden = false
  offer.querySelector("button").addEventListener("click", usePasskey)
}
