// Keeps the player and its pages at hand where the service cannot be reached.

const CACHE = "phiz-signage";
const SHELL = ["./", "player.css", "player.js", "link.js", "playlist.js", "screen.js", "store.js", "token.js"];
// Milliseconds that the service has to answer before what was kept is taken.
const PATIENCE = 3000;

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(SHELL)));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(self.registration.scope)) return;
  // A content's address changes with its file; everything else may have changed.
  event.respondWith(request.url.includes("/signage/content/") ? keptFirst(request) : newestFirst(request));
});

async function keptFirst(request) {
  return (await caches.match(request.url)) ?? fetch(request);
}

async function newestFirst(request) {
  try {
    const late = new Promise((_, reject) => setTimeout(reject, PATIENCE, new Error("the service is late")));
    const response = await Promise.race([fetch(request), late]);
    if (response.ok) await (await caches.open(CACHE)).put(request.url, response.clone());
    return response;
  } catch (error) {
    const kept = await caches.match(request.url);
    if (kept) return kept;
    throw error;
  }
}
