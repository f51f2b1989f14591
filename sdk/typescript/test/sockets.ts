/** A server whose WebSockets are played by a script: as little of RFC 6455 as that takes. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** One WebSocket, from the server's side. */
export class Line {
  readonly heard: unknown[] = [];
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (frame: Buffer) => {
      // short, masked, one to a packet: such are a client's messages here
      if ((frame[0]! & 0x0f) !== 1) return;
      const length = frame[1]! & 0x7f;
      const text = frame.subarray(6, 6 + length).map((byte, at) => byte ^ frame[2 + (at % 4)]!);
      this.heard.push(JSON.parse(Buffer.from(text).toString()));
    });
  }

  say(message: object): void {
    this.#frame(1, Buffer.from(JSON.stringify(message)));
  }

  put(bytes: Uint8Array): void {
    this.#frame(2, bytes);
  }

  close(): void {
    this.#socket.destroy();
  }

  #frame(kind: number, body: Uint8Array): void {
    const head = Buffer.alloc(10);
    head[0] = 0x80 | kind;
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(body.length), 2);
    const short = body.length < 126 ? Buffer.from([0x80 | kind, body.length]) : body.length < 65_536 ? Buffer.from([0x80 | kind, 126, body.length >> 8, body.length & 255]) : head;
    this.#socket.write(Buffer.concat([short, body]));
  }
}

export type Asked = (url: string) => { status: number; body: unknown };
/** What becomes of a WebSocket. Without `line`: refused. */
export type Opened = (line: Line, url: string) => void;

export class LiveServer implements AsyncDisposable {
  baseUrl = '';
  readonly asked: string[] = [];
  readonly opened: string[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(answer: Asked, script: readonly (Opened | 'refuse')[]) {
    this.#server = createServer((request, response) => {
      this.asked.push(request.url ?? '');
      const { status, body } = answer(request.url ?? '');
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
    this.#server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
      this.#sockets.add(socket);
      this.opened.push(request.url ?? '');
      const act = script[Math.min(this.opened.length, script.length) - 1];
      if (act === undefined || act === 'refuse') {
        socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n');
        return;
      }
      const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${MAGIC}`).digest('base64');
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`);
      act(new Line(socket), request.url ?? '');
    });
  }

  static async start(answer: Asked, ...script: (Opened | 'refuse')[]): Promise<LiveServer> {
    const made = new LiveServer(answer, script);
    made.#server.listen(0, '127.0.0.1');
    await once(made.#server, 'listening');
    made.baseUrl = `http://127.0.0.1:${(made.#server.address() as AddressInfo).port}`;
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
