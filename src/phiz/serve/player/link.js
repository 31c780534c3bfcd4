// The WebSocket to the service: what to show comes in, what is shown goes out.

// Milliseconds of silence after which the service counts as gone; it speaks every three seconds.
const SILENCE = 9000;

/** One connection; `lost` is settled when it ends. hear: gets the name of the content to show. */
export class Link {
  constructor(token, hear) {
    const url = new URL("../v1/signage/player", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    this.socket = new WebSocket(url, ["phiz.v1", ...(token ? [`phiz.token.${token}`] : [])]);
    this.lost = new Promise((resolve) => {
      const end = () => {
        clearTimeout(this.silence);
        this.socket.onmessage = null;
        this.socket.close();
        resolve();
      };
      const wait = () => {
        clearTimeout(this.silence);
        this.silence = setTimeout(end, SILENCE);
      };
      wait();
      this.socket.onclose = end;
      this.socket.onmessage = ({ data }) => {
        wait();
        hear(JSON.parse(data).show);
      };
    });
  }

  /** Send a report, where somebody is there to hear it. */
  send(report) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(report));
  }
}
