// The list of everything that may be shown, from the service or as it was kept.

import { openCache } from "./store.js";

const KEPT = new URL("playlist.json", location.href).href; // a name in the cache, no file of the service

/** The service's playlist; "token" where it asks for one. Throws where there is no service. */
export async function fetchPlaylist(token) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const response = await fetch(new URL("../v1/signage", location.href), { headers });
  if (response.status === 401) return "token";
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

/** Keep a playlist for a start without the service. */
export async function keepPlaylist(playlist) {
  const cache = await openCache();
  await cache?.put(KEPT, new Response(JSON.stringify(playlist)));
}

/** The playlist that was kept, or null. */
export async function keptPlaylist() {
  const found = await (await openCache())?.match(KEPT);
  return found ? found.json() : null;
}
